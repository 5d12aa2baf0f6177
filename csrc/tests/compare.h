// Whether results agree: with the reference as closely as single precision lets them, with each other to the
// bit.
#pragma once

#include "problem.h"

namespace sluicegate::test {

// What differences may be, as a part of the largest number of an array, or of 1 if that is larger.
inline constexpr double kTolerance = 5e-6;

// Leaves out what was not asked for.
void check_close(const Result<float>& got, const Result<double>& wanted, double tolerance = kTolerance);

// The same of what belongs to the rows: all but the gradients of the weights, whose sums go over the batch in
// an order that depends on the threads.
void check_same_rows(const Result<float>& got, const Result<float>& wanted);

// Of those gradients too.
void check_same(const Result<float>& got, const Result<float>& wanted);

// The largest difference that `check_close` has seen, as a part of what it allows.
double closest_call();

}  // namespace sluicegate::test
