#include "sluicegate/openmp.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <ctime>

namespace sluicegate::openmp {
namespace {

std::atomic<bool> forgotten{false};

#if defined(__linux__)

// What compilers call for a parallel region: GCC's runtime has it, and LLVM's and Intel's on Linux. Linking
// with one of them could load a second runtime beside PyTorch's.
using Parallel = void (*)(void (*work)(void*), void* context, unsigned threads, unsigned flags);

Parallel runtime() {
  static const auto found = reinterpret_cast<Parallel>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  return found;
}

// The processor time of one of the threads that work for this one.
thread_local clockid_t worker;
thread_local bool known = false;

struct Region {
  void (*work)(void*);
  void* context;
  pthread_t caller;
  std::atomic_flag taken{};
  clockid_t worker{};
  bool known = false;

  static void enter(void* region) {
    auto& r = *static_cast<Region*>(region);
    if (!pthread_equal(pthread_self(), r.caller) && !r.taken.test_and_set())
      r.known = pthread_getcpuclockid(pthread_self(), &r.worker) == 0;
    r.work(r.context);
  }
};

#endif

}  // namespace

#if defined(__linux__)

bool awake() {
  if (runtime() == nullptr || forgotten.load(std::memory_order_relaxed)) return false;
  if (!known) return true;
  // The clock of a thread that is at work goes on between one look and the next.
  timespec before, after;
  if (clock_gettime(worker, &before) != 0 || clock_gettime(worker, &after) != 0) {
    known = false;  // it has ended
    return true;
  }
  return before.tv_sec != after.tv_sec || before.tv_nsec != after.tv_nsec;
}

void parallel(int threads, void (*work)(void*), void* context) {
  Region region{work, context, pthread_self()};
  runtime()(Region::enter, &region, static_cast<unsigned>(threads), 0);
  worker = region.worker;
  known = region.known;
}

#else

bool awake() { return false; }
void parallel(int, void (*)(void*), void*) {}

#endif

void forget() { forgotten.store(true, std::memory_order_relaxed); }

}  // namespace sluicegate::openmp
