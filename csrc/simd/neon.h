// NEON on 64-bit ARM: 4 floats, 32 registers.
#pragma once

#include <arm_neon.h>

#include "kernels/base.h"

namespace sluicegate::SLUICEGATE_ISA {

using Float = float32x4_t;
inline constexpr int kWidth = 4;
inline constexpr int kRegisters = 32;

SLUICEGATE_INLINE Float load(const float* p) { return vld1q_f32(p); }
SLUICEGATE_INLINE Float load(const float* p, int n) {
  float whole[kWidth] = {};
  for (int i = 0; i < n; ++i) whole[i] = p[i];
  return load(whole);
}
SLUICEGATE_INLINE void store(float* p, Float a) { vst1q_f32(p, a); }
SLUICEGATE_INLINE void store(float* p, Float a, int n) {
  float whole[kWidth];
  store(whole, a);
  for (int i = 0; i < n; ++i) p[i] = whole[i];
}
// A lane is four floats. These two transpose four floats of as many rows as a vector has: load_lanes takes
// them from every fourth row, and transpose turns each lane of four such vectors round.
SLUICEGATE_INLINE Float load_lanes(const float* const* rows, Index at) { return load(rows[0] + at); }
SLUICEGATE_INLINE void transpose(Float (&a)[4]) {
  const float64x2_t even[2] = {vreinterpretq_f64_f32(vtrn1q_f32(a[0], a[1])),
                               vreinterpretq_f64_f32(vtrn1q_f32(a[2], a[3]))};
  const float64x2_t odd[2] = {vreinterpretq_f64_f32(vtrn2q_f32(a[0], a[1])),
                              vreinterpretq_f64_f32(vtrn2q_f32(a[2], a[3]))};
  a[0] = vreinterpretq_f32_f64(vtrn1q_f64(even[0], even[1]));
  a[1] = vreinterpretq_f32_f64(vtrn1q_f64(odd[0], odd[1]));
  a[2] = vreinterpretq_f32_f64(vtrn2q_f64(even[0], even[1]));
  a[3] = vreinterpretq_f32_f64(vtrn2q_f64(odd[0], odd[1]));
}
SLUICEGATE_INLINE Float fill(float a) { return vdupq_n_f32(a); }
SLUICEGATE_INLINE Float add(Float a, Float b) { return vaddq_f32(a, b); }
SLUICEGATE_INLINE Float subtract(Float a, Float b) { return vsubq_f32(a, b); }
SLUICEGATE_INLINE Float multiply(Float a, Float b) { return vmulq_f32(a, b); }
SLUICEGATE_INLINE Float multiply_add(Float a, Float b, Float c) { return vfmaq_f32(c, a, b); }
SLUICEGATE_INLINE Float multiply_subtract_from(Float a, Float b, Float c) { return vfmsq_f32(c, a, b); }
// Where either is NaN, these two give NaN.
SLUICEGATE_INLINE Float minimum(Float a, Float b) { return vminq_f32(a, b); }
SLUICEGATE_INLINE Float maximum(Float a, Float b) { return vmaxq_f32(a, b); }
// b where not a <= 0, else 0.
SLUICEGATE_INLINE Float where_positive(Float a, Float b) {
  return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(b), vcleq_f32(a, vdupq_n_f32(0))));
}
// a /= b.
template <int N>
SLUICEGATE_INLINE void divide(Float (&a)[N], const Float (&b)[N]) {
  SLUICEGATE_EACH(N) a[i] = vdivq_f32(a[i], b[i]);
}

// Words of 64 bits, and the lower half of each times the upper one.
using Words = std::uint64_t __attribute__((vector_size(kWidth * sizeof(float))));
SLUICEGATE_INLINE Words multiply_halves(Words a) {
  return (Words)vmull_u32(vmovn_u64((uint64x2_t)a), vshrn_n_u64((uint64x2_t)a, 32));
}

}  // namespace sluicegate::SLUICEGATE_ISA
