#include "sluicegate/threads.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "sluicegate/openmp.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sluicegate {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

// How long a waiting thread looks again before it sleeps: a few times what waking it costs, and longer than a
// program takes from one layer to the next, or from the forward pass to the backward pass.
constexpr Microseconds kAwake{100};
// Work that is over before a helper that is awake has had a share of it.
constexpr Microseconds kShareable{10};
// Work that is over before a sleeping helper has come: waking it takes the caller ten to forty microseconds,
// and the helper twenty to a hundred, the longer it slept.
constexpr Microseconds kWakeable{100};

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

// Looks at value until it differs from old, for so long at most, and lets others have the processor now and
// then: what is waited for may be waiting for it.
template <class T>
T look_for_change(const std::atomic<T>& value, T old, Microseconds patience) {
  constexpr int kLooks = 50;
  const auto end = Clock::now() + patience;
  do {
    for (int look = 0; look < kLooks; ++look) {
      const T now = value.load(std::memory_order_acquire);
      if (now != old) return now;
      pause();
    }
    sched_yield();
  } while (Clock::now() < end);
  return value.load(std::memory_order_acquire);
}

// Waits until value differs from old.
template <class T>
T wait_for_change(const std::atomic<T>& value, T old) {
  if (const T now = look_for_change(value, old, kAwake); now != old) return now;
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

// One piece of work, on `size` threads at most, the one that asks for it included.
struct Job {
  void (*work)(void* context, int rank, int size);
  void* context;
  int size;
  int threads;         // that may work for the caller
  Microseconds cost;   // on one thread
  bool team;           // nobody begins before it is settled who takes part
  FloatMode mode = 0;  // of the thread that asks: a number must not depend on who computes it
};

class Pool {
 public:
  // Runs the job's rank 0 here. Helpers come in while they are early enough. Throws what the work threw
  // first, when nobody works any more.
  void run(const Job& job) {
    const bool theirs = openmp::awake();
    open(job, theirs ? job.size - 1 : hire(job.size - 1));
    if (theirs)
      openmp::parallel(job.threads, [](void* pool) { static_cast<Pool*>(pool)->take_part(); }, this);
    else
      lead(ring());
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

  std::mutex& in_use() { return in_use_; }

 private:
  // The gate holds the number of the job, for how many helpers it has room, a bit that says that it takes no
  // more of them, and how many are inside.
  static constexpr std::uint64_t kNumber = std::uint64_t{1} << 32, kRoom = 1u << 16, kShut = 1u << 15;

  // Lets helpers in, so many at most.
  void open(const Job& job, int helpers) {
    job_ = job;
    job_.size = 1 + helpers;
    job_.mode = float_mode();
    caller_ = pthread_self();
    failure_ = nullptr;
    members_.store(0, std::memory_order_relaxed);
    open_ = ++jobs_ * kNumber + static_cast<std::uint64_t>(helpers) * kRoom;
    gate_.store(open_, std::memory_order_release);
  }

  // The caller's part, and when it returns the job is done.
  void lead(bool expect_helpers) {
    int members = job_.size;
    if (job_.team) {
      if (expect_helpers) await_helpers();
      members = 1 + static_cast<int>(gate_.fetch_or(kShut, std::memory_order_acq_rel) % kShut);
      members_.store(members, std::memory_order_release);
      members_.notify_all();
    }
    work(0, members);
    gate_.fetch_or(kShut, std::memory_order_acq_rel);
    for (std::uint64_t gate; (gate = gate_.load(std::memory_order_acquire)) != (open_ | kShut);)
      wait_for_change(gate_, gate);
  }

  // What a thread of the OpenMP runtime does, of which one is the caller.
  void take_part() {
    if (pthread_equal(pthread_self(), caller_)) {
      lead(true);
      return;
    }
    const FloatMode mode = float_mode();
    std::uint64_t last = 0;
    if (const int place = enter(last)) help(place);
    set_float_mode(mode);
  }

  // Sees to it that there are so many helpers, or as many as the system gives, and says how many that are.
  int hire(int wanted) {
    try {
      while (helpers() < wanted) {
        std::thread helper([this] { serve(); });
        helpers_.push_back(helper.native_handle());
        helper.detach();
      }
    } catch (const std::system_error&) {
      return helpers();
    }
    return wanted;
  }
  int helpers() const { return static_cast<int>(helpers_.size()); }

  // Tells our helpers that there is a job, and says whether to expect them.
  bool ring() {
    bell_.fetch_add(1, std::memory_order_seq_cst);
    const int wanted = job_.size - 1, asleep = asleep_.load(std::memory_order_seq_cst),
              awake = helpers() - asleep;
    if (awake >= wanted) return true;
    if (job_.cost < kWakeable) return awake > 0;
    keep_clear();
    if (asleep <= wanted)
      bell_.notify_all();
    else
      for (int i = awake; i < wanted; ++i) bell_.notify_one();
    return true;
  }

  // Keeps the helpers off the caller's processor, and on those that the caller may use. Without this Linux
  // often wakes a helper on the processor of the one who wakes it, although another is idle, and there it
  // waits for milliseconds.
  void keep_clear() {
#if defined(__linux__)
    const int here = sched_getcpu();
    cpu_set_t allowed;
    if (here < 0 || pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed) != 0) return;
    if (CPU_COUNT(&allowed) > 1) CPU_CLR(here, &allowed);
    if (placed_ == helpers() && CPU_EQUAL(&allowed, &allowed_)) return;
    for (const pthread_t helper : helpers_) pthread_setaffinity_np(helper, sizeof allowed, &allowed);
    allowed_ = allowed;
    placed_ = helpers();
#endif
  }

  // Waits until all members of a team are here, for a small part of the time that they would save: another
  // program may have their processors.
  void await_helpers() {
    const std::uint64_t all = static_cast<std::uint64_t>(job_.size - 1);
    const Microseconds patience = std::min(job_.cost / 8, Microseconds(1000));
    const auto end = Clock::now() + patience;
    std::uint64_t gate = gate_.load(std::memory_order_acquire);
    for (Microseconds left = patience; gate != open_ + all && left > Microseconds(0);
         left = end - Clock::now())
      gate = look_for_change(gate_, gate, left);
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
      heard = listen(heard);
      if (const int place = enter(last)) help(place);
    }
  }

  // A helper's part, once it has entered.
  void help(int place) {
    set_float_mode(job_.mode);
    work(place, job_.team ? wait_for_change(members_, 0) : job_.size);
    if (gate_.fetch_sub(1, std::memory_order_acq_rel) & kShut) gate_.notify_one();
  }

  // Waits for the bell.
  std::uint32_t listen(std::uint32_t heard) {
    if (const std::uint32_t now = look_for_change(bell_, heard, kAwake); now != heard) return now;
    asleep_.fetch_add(1, std::memory_order_seq_cst);
    bell_.wait(heard, std::memory_order_seq_cst);
    asleep_.fetch_sub(1, std::memory_order_seq_cst);
    return bell_.load(std::memory_order_acquire);
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
  pthread_t caller_{};
  std::mutex failing_;
  std::exception_ptr failure_;
  std::uint64_t jobs_ = 0;
  std::uint64_t open_ = 0;  // what the gate shows while nobody has entered
  std::atomic<std::uint64_t> gate_{kShut};
  std::atomic<std::uint32_t> bell_{0};  // rings when a job begins
  std::atomic<int> members_{0};         // of a team, once they are settled
  std::atomic<int> asleep_{0};          // helpers, so that there is nobody to wake if it is 0
  std::vector<pthread_t> helpers_;
#if defined(__linux__)
  cpu_set_t allowed_{};  // where the first `placed_` helpers may run
  int placed_ = 0;
#endif
};

// Never destroyed: its threads sleep until the process ends.
std::atomic<Pool*> pool{nullptr};

Pool& the_pool() {
  Pool* current = pool.load(std::memory_order_acquire);
  if (current == nullptr) {
    survive_forks();
    Pool* fresh = new Pool;
    if (pool.compare_exchange_strong(current, fresh, std::memory_order_acq_rel)) return *fresh;
    delete fresh;
  }
  return *current;
}

void run(const Job& job) {
  Pool& current = the_pool();
  std::unique_lock lock(current.in_use(), std::defer_lock);
  if (job.size > 1 && job.cost >= kShareable && lock.try_lock())
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

void survive_forks() {
  static std::once_flag once;
  std::call_once(once, [] {
    // A forked child has none of the threads: it gets a pool of its own, and leaves the old one as it is.
    pthread_atfork(openmp::end_threads, nullptr, [] {
      pool.store(new Pool, std::memory_order_release);
      openmp::after_fork();
    });
  });
}

void run_team(int threads, double microseconds, void (*work)(void*, int, int), void* context) {
  run({work, context, threads, threads, Microseconds(microseconds), true});
}

void run_tasks(int tasks, int threads, double microseconds, void (*work)(void*, int), void* context) {
  Tasks all{work, context, tasks};
  run({take_tasks, &all, std::min(threads, tasks), threads, Microseconds(microseconds), false});
}

}  // namespace sluicegate
