// The threads of the OpenMP runtime that PyTorch has loaded.
//
// After each operation they look out for more work for milliseconds, without letting anybody else have their
// processors. A thread of ours that wants to work meanwhile has to share a processor with one of them, and is
// half as fast or milliseconds late: so while they are awake it is them that we ask.
#pragma once

namespace sluicegate::openmp {

// Whether the threads that work for the calling thread are awake. The first time it is not known, and they
// are taken to be.
bool awake();

// Runs work(context) on so many threads at the same time, the calling one included. It must not throw.
void parallel(int threads, void (*work)(void* context), void* context);

// Before a fork, whose child has none of the threads and would wait for them for ever: ends those that work
// for the calling thread, in each of GCC's runtimes that is loaded (PyTorch brings one, scikit-learn
// another). The next parallel region begins new ones. LLVM's runtime and Intel's see to forks themselves.
void end_threads();

// In a forked child. Within a parallel region the threads cannot be ended, and must not be asked after it.
void after_fork();

}  // namespace sluicegate::openmp
