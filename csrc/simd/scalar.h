// For any processor: four floats, in such instructions as every processor of its kind has, and a product and
// a sum rounded one after the other.
#pragma once

#include "kernels/base.h"

namespace sluicegate::SLUICEGATE_ISA {

using Float = float __attribute__((vector_size(16)));
inline constexpr int kWidth = 4;
inline constexpr int kRegisters = 16;

SLUICEGATE_INLINE Float load(const float* p) { return Float{p[0], p[1], p[2], p[3]}; }
SLUICEGATE_INLINE Float load(const float* p, int n) {
  Float a{};
  for (int i = 0; i < n; ++i) a[i] = p[i];
  return a;
}
SLUICEGATE_INLINE void store(float* p, Float a) {
  for (int i = 0; i < kWidth; ++i) p[i] = a[i];
}
SLUICEGATE_INLINE void store(float* p, Float a, int n) {
  for (int i = 0; i < n; ++i) p[i] = a[i];
}
// A lane is four floats. These two transpose four floats of as many rows as a vector has: load_lanes takes
// them from every fourth row, and transpose turns each lane of four such vectors round.
SLUICEGATE_INLINE Float load_lanes(const float* const* rows, Index at) { return load(rows[0] + at); }
SLUICEGATE_INLINE void transpose(Float (&a)[4]) {
  const Float b[4] = {a[0], a[1], a[2], a[3]};
  SLUICEGATE_EACH(4) a[i] = Float{b[0][i], b[1][i], b[2][i], b[3][i]};
}
SLUICEGATE_INLINE Float fill(float a) { return Float{a, a, a, a}; }
SLUICEGATE_INLINE Float add(Float a, Float b) { return a + b; }
SLUICEGATE_INLINE Float subtract(Float a, Float b) { return a - b; }
SLUICEGATE_INLINE Float multiply(Float a, Float b) { return a * b; }
SLUICEGATE_INLINE Float multiply_add(Float a, Float b, Float c) { return a * b + c; }
SLUICEGATE_INLINE Float multiply_subtract_from(Float a, Float b, Float c) { return c - a * b; }
// Where either is NaN, these two give b.
SLUICEGATE_INLINE Float minimum(Float a, Float b) { return a < b ? a : b; }
SLUICEGATE_INLINE Float maximum(Float a, Float b) { return a > b ? a : b; }
// b where not a <= 0, else 0.
SLUICEGATE_INLINE Float where_positive(Float a, Float b) { return a <= Float{} ? Float{} : b; }
// a /= b.
template <int N>
SLUICEGATE_INLINE void divide(Float (&a)[N], const Float (&b)[N]) {
  SLUICEGATE_EACH(N) a[i] = a[i] / b[i];
}

// Words of 64 bits, and the lower half of each times the upper one.
using Words = std::uint64_t __attribute__((vector_size(kWidth * sizeof(float))));
SLUICEGATE_INLINE Words multiply_halves(Words a) { return (a & 0xffffffffu) * (a >> 32); }

}  // namespace sluicegate::SLUICEGATE_ISA
