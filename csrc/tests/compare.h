// Whether results agree: with the reference as closely as single precision lets them, with each other to the
// bit.
#pragma once

#include "problem.h"

namespace sluicegate::test {

// Leaves out what was not asked for.
void check_close(const Result<float>& got, const Result<double>& wanted);

// The same of what belongs to the rows: all but the gradients of the weights, whose sums go over the batch in
// an order that depends on the threads.
void check_same_rows(const Result<float>& got, const Result<float>& wanted);

// Of those gradients too.
void check_same(const Result<float>& got, const Result<float>& wanted);

// The largest difference that `check_close` has seen, as a part of what it allows.
double closest_call();

}  // namespace sluicegate::test
