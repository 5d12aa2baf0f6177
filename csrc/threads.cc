#include "sluicegate/threads.h"

#include <pthread.h>

#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sluicegate {
namespace {

// How often a waiting thread looks again before it sleeps: some ten microseconds, about what waking it costs.
constexpr int kLooks = 300;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// How this thread rounds, and whether it takes subnormal numbers for zero.
using FloatMode = std::uint64_t;

#if defined(__x86_64__)
FloatMode float_mode() { return _mm_getcsr(); }
void set_float_mode(FloatMode mode) { _mm_setcsr(static_cast<unsigned>(mode)); }
#elif defined(__aarch64__)
FloatMode float_mode() {
  FloatMode mode;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
void set_float_mode(FloatMode mode) { asm volatile("msr fpcr, %0" : : "r"(mode)); }
#else
FloatMode float_mode() { return 0; }
void set_float_mode(FloatMode) {}
#endif

// Waits until value differs from old.
template <class T>
T wait_for_change(const std::atomic<T>& value, T old) {
  for (int look = 0; look < kLooks; ++look) {
    const T now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    pause();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

// How long a team waits for its members: some helpers may be late, where other threads use their cores.
constexpr int kPatience = 1500;

// One piece of work, on `size` threads at most, the one that asks for it included.
struct Job {
  void (*work)(void* context, int rank, int size);
  void* context;
  int size;
  bool team;           // nobody begins before it is settled who takes part
  FloatMode mode = 0;  // of the thread that asks: a number must not depend on who computes it
};

class Pool {
 public:
  // Runs the job's rank 0 here. Helpers come in while they are early enough. Throws what the work threw
  // first, when nobody works any more.
  void run(Job job) {
    job.size = 1 + hire(job.size - 1);
    job_ = job;
    job_.mode = float_mode();
    failure_ = nullptr;
    members_.store(0, std::memory_order_relaxed);
    const auto all = static_cast<std::uint64_t>(job.size - 1);
    const std::uint64_t open = ++jobs_ * kNumber + all * kRoom;
    gate_.store(open, std::memory_order_release);
    bell_.fetch_add(1, std::memory_order_release);
    if (helpers_ < job.size)
      bell_.notify_all();
    else
      for (int i = 1; i < job.size; ++i) bell_.notify_one();
    int members = job.size;
    if (job.team) {
      for (int look = 0; look < kPatience && gate_.load(std::memory_order_acquire) != open + all; ++look)
        pause();
      members = 1 + static_cast<int>(gate_.fetch_or(kShut, std::memory_order_acq_rel) % kShut);
      members_.store(members, std::memory_order_release);
      members_.notify_all();
    }
    work(0, members);
    gate_.fetch_or(kShut, std::memory_order_acq_rel);
    for (std::uint64_t gate; (gate = gate_.load(std::memory_order_acquire)) != (open | kShut);)
      wait_for_change(gate_, gate);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

  std::mutex& in_use() { return in_use_; }

 private:
  // The gate holds the number of the job, for how many helpers it has room, a bit that says that it takes no
  // more of them, and how many are inside.
  static constexpr std::uint64_t kNumber = std::uint64_t{1} << 32, kRoom = 1u << 16, kShut = 1u << 15;

  // Sees to it that there are so many helpers, or as many as the system gives, and says how many that are.
  int hire(int wanted) {
    try {
      for (; helpers_ < wanted; ++helpers_) std::thread([this] { serve(); }).detach();
    } catch (const std::system_error&) {
      return helpers_;
    }
    return wanted;
  }

  // What somebody throws is kept for the one who asked. Members of a team must not throw: the others would
  // wait.
  void work(int rank, int size) {
    try {
      job_.work(job_.context, rank, size);
    } catch (...) {
      const std::lock_guard lock(failing_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  void serve() {
    std::uint64_t last = 0;
    for (std::uint32_t heard = 0;;) {
      heard = wait_for_change(bell_, heard);
      const int place = enter(last);
      if (place == 0) continue;
      set_float_mode(job_.mode);
      work(place, job_.team ? wait_for_change(members_, 0) : job_.size);
      if (gate_.fetch_sub(1, std::memory_order_acq_rel) & kShut) gate_.notify_one();
    }
  }

  // Enters the job that is under way, once, and says as which of its helpers; 0 when it takes no more.
  int enter(std::uint64_t& last) {
    std::uint64_t gate = gate_.load(std::memory_order_acquire);
    while (!(gate & kShut) && gate / kNumber != last && gate % kShut < gate % kNumber / kRoom)
      if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel)) {
        last = gate / kNumber;
        return static_cast<int>(gate % kShut) + 1;
      }
    return 0;
  }

  std::mutex in_use_;  // held by the thread whose job it is
  Job job_{};
  std::mutex failing_;
  std::exception_ptr failure_;
  std::uint64_t jobs_ = 0;
  std::atomic<std::uint64_t> gate_{kShut};
  std::atomic<std::uint32_t> bell_{0};  // rings when a job begins
  std::atomic<int> members_{0};         // of a team, once they are settled
  int helpers_ = 0;
};

// Never destroyed: its threads sleep until the process ends.
std::atomic<Pool*> pool{nullptr};

Pool& the_pool() {
  Pool* current = pool.load(std::memory_order_acquire);
  if (current == nullptr) {
    static std::once_flag once;
    std::call_once(once, [] {
      // A forked child has none of the threads: it gets a pool of its own, and leaves the old one as it is.
      pthread_atfork(nullptr, nullptr, [] { pool.store(new Pool, std::memory_order_release); });
    });
    Pool* fresh = new Pool;
    if (pool.compare_exchange_strong(current, fresh, std::memory_order_acq_rel)) return *fresh;
    delete fresh;
  }
  return *current;
}

void run(const Job& job) {
  Pool& current = the_pool();
  std::unique_lock lock(current.in_use(), std::defer_lock);
  if (job.size > 1 && lock.try_lock())
    current.run(job);
  else
    job.work(job.context, 0, 1);
}

struct Tasks {
  void (*work)(void*, int);
  void* context;
  int count;
  std::atomic<int> next{0};
};

void take_tasks(void* context, int, int) {
  auto& tasks = *static_cast<Tasks*>(context);
  for (int task; (task = tasks.next.fetch_add(1, std::memory_order_relaxed)) < tasks.count;)
    tasks.work(tasks.context, task);
}

}  // namespace

void Barrier::wait(int threads) {
  const std::uint32_t round = round_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) == threads - 1) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  } else {
    wait_for_change(round_, round);
  }
}

void run_team(int threads, void (*work)(void*, int, int), void* context) {
  run({work, context, threads, true});
}

void run_tasks(int tasks, int threads, void (*work)(void*, int), void* context) {
  Tasks all{work, context, tasks};
  run({take_tasks, &all, threads < tasks ? threads : tasks, false});
}

}  // namespace sluicegate
