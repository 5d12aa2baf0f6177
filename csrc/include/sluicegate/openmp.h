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

// In a forked child, which has none of the threads.
void forget();

}  // namespace sluicegate::openmp
