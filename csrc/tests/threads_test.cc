// The pool: every task once, whoever calls and however often, and no work for the processor when there is
// none.

#include "sluicegate/threads.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(_OPENMP)
#include <omp.h>
#endif

#include "check.h"
#include "compare.h"
#include "run.h"

namespace sluicegate::test {
namespace {

constexpr double kWork = 1000.0;  // microseconds: worth sharing

// Runs f(task) for every task.
template <class F>
void tasks(int count, int threads, F&& f) {
  run_tasks(count, threads, kWork, [](void* f, int task) { (*static_cast<F*>(f))(task); }, &f);
}
template <class F>
void team(int threads, F&& f) {
  run_team(threads, kWork, [](void* f, int rank, int size) { (*static_cast<F*>(f))(rank, size); }, &f);
}

// Whether tasks 0 .. count - 1 were each done once.
bool each_once(int count, int threads) {
  std::vector<int> done(count);
  tasks(count, threads, [&](int task) { ++done[task]; });
  for (int times : done)
    if (times != 1) return false;
  return true;
}

// Whether the members of a team, after waiting for each other, see what the others did, round after round.
bool meets(int threads, int rounds) {
  std::vector<int> at(threads);
  std::atomic<int> wrong{0}, members{0};
  Barrier barrier;
  team(threads, [&](int rank, int size) {
    if (rank < 0 || rank >= size || size > threads) ++wrong;
    ++members;
    for (int round = 1; round <= rounds; ++round) {
      at[rank] = round;
      barrier.wait(size);
      for (int other = 0; other < size; ++other) wrong += at[other] != round;
      barrier.wait(size);
    }
    if (members != size) ++wrong;
  });
  return wrong == 0;
}

constexpr int kJobs = kThreadSanitizer ? 1000 : 5000;

}  // namespace

TEST(threads_do_every_task_once) {
  for (int threads : {1, 2, 3, 8})
    for (int count : {0, 1, 2, 3, 7, 100}) CHECK(each_once(count, threads));
}

TEST(threads_do_thousands_of_tiny_jobs) {
  for (int job = 0; job < kJobs; ++job) {
    CHECK(each_once(1 + job % 5, 1 + job % 4));
    CHECK(meets(1 + job % 4, 2));
  }
}

TEST(threads_hand_on_what_a_task_throws) {
  for (int round = 0; round < 100; ++round)
    for (int thrower = 0; thrower < 4; ++thrower) {
      bool caught = false;
      try {
        tasks(4, 3, [&](int task) {
          if (task == thrower) throw std::bad_alloc();
        });
      } catch (const std::bad_alloc&) {
        caught = true;
      }
      CHECK(caught);
      CHECK(each_once(5, 3));
    }
}

#if defined(__x86_64__)
TEST(threads_treat_subnormal_numbers_as_the_caller_does) {
  const unsigned before = _mm_getcsr();
  for (const unsigned flush : {0x8040u, 0u, 0x8040u}) {
    _mm_setcsr((before & ~0x8040u) | flush);
    std::atomic<int> wrong{0};
    for (int job = 0; job < 200; ++job) tasks(8, 4, [&](int) { wrong += (_mm_getcsr() & 0x8040u) != flush; });
    CHECK(wrong == 0);
  }
  _mm_setcsr(before);
}
#endif

TEST(threads_meet_at_a_barrier) {
  for (int threads : {1, 2, 3, 4}) CHECK(meets(threads, kJobs));
}

TEST(threads_of_others_may_call_at_once) {
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&, caller] {
      for (int job = 0; job < kJobs / 2; ++job) {
        if (!each_once(1 + (job + caller) % 6, 1 + job % 4)) ++wrong;
        if (!meets(1 + (job + caller) % 3, 2)) ++wrong;
      }
    });
  for (std::thread& caller : callers) caller.join();
  CHECK_EQUAL(wrong.load(), 0);
}

TEST(threads_may_be_asked_from_within_a_task) {
  for (int job = 0; job < 200; ++job) {
    std::atomic<int> wrong{0};
    tasks(4, 3, [&](int) {
      wrong += !each_once(5, 3);
      wrong += !meets(3, 2);
      tasks(2, 2, [&](int) { wrong += !each_once(3, 2); });
    });
    team(3, [&](int, int) { wrong += !each_once(5, 3); });
    CHECK_EQUAL(wrong.load(), 0);
  }
}

TEST(threads_are_no_more_than_were_asked_for) {
  for (int threads : {1, 2, 3}) {
    std::atomic<int> inside{0}, most{0};
    tasks(50, threads, [&](int) {
      const int now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      --inside;
    });
    CHECK(most <= threads);
  }
}

TEST(threads_that_are_idle_burn_no_time) {
  CHECK(meets(4, 10));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  auto spent = [] {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
           1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  const double before = spent();
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  // The sanitizers have a thread of their own.
  CHECK(spent() - before < 0.02);
}

#if defined(_OPENMP)
TEST(threads_of_openmp_work_while_they_are_awake) {
  const pthread_t caller = pthread_self();
  bool worked = false;
  for (int round = 0; round < 1000 && !worked; ++round) {
    std::atomic<pthread_t> theirs{caller};
#pragma omp parallel num_threads(2)
    if (omp_get_thread_num() == 1) theirs = pthread_self();
    std::atomic<int> begun{0}, by_them{0};
    tasks(2, 2, [&](int) {
      ++begun;
      for (int look = 0; look < 10000 && begun < 2; ++look) std::this_thread::yield();
      by_them += !pthread_equal(theirs, caller) && pthread_equal(theirs, pthread_self());
    });
    CHECK_EQUAL(begun.load(), 2);
    worked = by_them > 0;
  }
  CHECK(worked);
}

TEST(openmp_goes_on_in_a_forked_child) {
  if (kThreadSanitizer) return;
  survive_forks();
  const auto sum = [] {
    int all = 0;
#pragma omp parallel for num_threads(3) reduction(+ : all)
    for (int i = 0; i < 300; ++i) all += i;
    return all;
  };
  for (int round = 0; round < 10; ++round) {
    CHECK_EQUAL(sum(), 44850);
    const pid_t child = fork();
    if (child == 0) {
      alarm(30);
      _exit(sum() == 44850 && each_once(7, 3) && sum() == 44850 ? 0 : 1);
    }
    int status = -1;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
  }
}
#endif

TEST(threads_of_a_forked_child_are_new) {
  // The thread sanitizer forbids it.
  if (kThreadSanitizer) return;
  CHECK(each_once(10, 3));
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread busy([&] {
    while (!stop) wrong += !each_once(7, 3) + !meets(3, 3);
  });
  for (int i = 0; i < 30; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    const pid_t child = fork();
    if (child == 0) {
      alarm(30);
      bool right = true;
      for (int job = 0; job < 20; ++job) right = each_once(7, 3) && meets(3, 3) && right;
      _exit(right ? 0 : 1);
    }
    int status = -1;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
  }
  stop = true;
  busy.join();
  CHECK_EQUAL(wrong.load(), 0);
}

TEST(threads_may_compute_layers_at_once) {
  for (const Kernels* kernels : all_kernels()) {
    const Within here(kernels->name);
    std::vector<Problem> problems;
    std::vector<Result<float>> alone;
    for (Cell cell : {Cell::kGru, Cell::kLstm, Cell::kRnn}) {
      Random random(9);
      const Index hidden = cell == Cell::kRnn ? 257 : 33;
      problems.push_back(draw({cell, Activation::kTanh, 5, hidden}, 5, 6, {.ragged = true}, random));
      alone.push_back(run(*kernels, problems.back()));
    }
    std::vector<std::thread> callers;
    for (std::size_t i = 0; i < problems.size(); ++i)
      callers.emplace_back([&, i] {
        Arrangement arrangement;
        arrangement.threads = 3;
        for (int round = 0; round < 20; ++round)
          check_same_rows(run(*kernels, problems[i], arrangement), alone[i]);
      });
    for (std::thread& caller : callers) caller.join();
  }
}

}  // namespace sluicegate::test
