#include "sluicegate/openmp.h"

#include <dlfcn.h>
#include <pthread.h>

#if defined(__linux__)
#include <link.h>
#endif

#include <atomic>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

namespace sluicegate::openmp {
namespace {

#if defined(__linux__)

// Whether this process must leave the runtime alone, since its threads were not ended before the fork.
std::atomic<bool> forgotten{false};

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

thread_local bool all_ended = true;  // before the fork that is under way

// Where GCC's runtimes lie. They are looked for one after the other, since each module may have brought its
// own.
std::vector<std::string> runtimes() {
  std::vector<std::string> found;
  dl_iterate_phdr(
      [](dl_phdr_info* library, std::size_t, void* names) {
        if (std::strstr(library->dlpi_name, "libgomp") != nullptr)
          static_cast<std::vector<std::string>*>(names)->emplace_back(library->dlpi_name);
        return 0;
      },
      &found);
  return found;
}

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

void end_threads() {
  constexpr int kHard = 2;  // omp_pause_hard, of OpenMP 5.0
  all_ended = true;
  for (const std::string& name : runtimes()) {
    void* library = dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (library == nullptr) continue;
    const auto pause = reinterpret_cast<int (*)(int)>(dlsym(library, "omp_pause_resource_all"));
    if (pause == nullptr || pause(kHard) != 0) all_ended = false;
    dlclose(library);
  }
}

void after_fork() {
  known = false;
  if (!all_ended) forgotten.store(true, std::memory_order_relaxed);
}

#else

bool awake() { return false; }
void parallel(int, void (*)(void*), void*) {}
void end_threads() {}
void after_fork() {}

#endif

}  // namespace sluicegate::openmp
