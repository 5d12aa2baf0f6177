// A small pool of threads that sleep when there is nothing to do.
//
// Who asks for work to be done says how long it would take one thread, roughly: so little that it is over
// before another thread has come is done by the calling thread alone.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluicegate {

// Where threads that share one piece of work wait for each other: a short while awake, then asleep.
class Barrier {
 public:
  void wait(int threads);

 private:
  std::atomic<int> arrived_{0};
  std::atomic<std::uint32_t> round_{0};
};

// Sees to it that a child that is forked from now on can compute, with these threads and with those of
// OpenMP.
void survive_forks();

// Runs work(context, task) for task = 0 .. tasks - 1 and returns when all are done. The calling thread takes
// part, and takes every task that no other thread has begun, so that a late thread costs nothing. At most
// `threads` threads work, the calling one included. If another thread is using the pool, the calling thread
// works alone. What a task throws is thrown here when nobody works any more; some tasks may then have been
// left out.
void run_tasks(int tasks, int threads, double microseconds, void (*work)(void* context, int task),
               void* context);

// Runs work(context, rank, size) at the same time on as many threads as can be had, `threads` at most; `size`
// says how many they are, and they may wait for each other: so none of them may throw.
void run_team(int threads, double microseconds, void (*work)(void* context, int rank, int size),
              void* context);

}  // namespace sluicegate
