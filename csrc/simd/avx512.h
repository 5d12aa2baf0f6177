// AVX-512: 16 floats, 32 registers.
#pragma once

#include <immintrin.h>

#include "kernels/base.h"

namespace sluicegate::SLUICEGATE_ISA {

using Float = __m512;
inline constexpr int kWidth = 16;
inline constexpr int kRegisters = 32;

SLUICEGATE_INLINE __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1u); }

SLUICEGATE_INLINE Float load(const float* p) { return _mm512_loadu_ps(p); }
SLUICEGATE_INLINE Float load(const float* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
SLUICEGATE_INLINE void store(float* p, Float a) { _mm512_storeu_ps(p, a); }
SLUICEGATE_INLINE void store(float* p, Float a, int n) { _mm512_mask_storeu_ps(p, first(n), a); }
// A lane is four floats. These two transpose four floats of as many rows as a vector has: load_lanes takes
// them from every fourth row, and transpose turns each lane of four such vectors round.
SLUICEGATE_INLINE Float load_lanes(const float* const* rows, Index at) {
  Float a = _mm512_castps128_ps512(_mm_loadu_ps(rows[0] + at));
  a = _mm512_insertf32x4(a, _mm_loadu_ps(rows[4] + at), 1);
  a = _mm512_insertf32x4(a, _mm_loadu_ps(rows[8] + at), 2);
  return _mm512_insertf32x4(a, _mm_loadu_ps(rows[12] + at), 3);
}
SLUICEGATE_INLINE void transpose(Float (&a)[4]) {
  const Float low[2] = {_mm512_unpacklo_ps(a[0], a[1]), _mm512_unpacklo_ps(a[2], a[3])};
  const Float high[2] = {_mm512_unpackhi_ps(a[0], a[1]), _mm512_unpackhi_ps(a[2], a[3])};
  a[0] = _mm512_shuffle_ps(low[0], low[1], 0x44);
  a[1] = _mm512_shuffle_ps(low[0], low[1], 0xee);
  a[2] = _mm512_shuffle_ps(high[0], high[1], 0x44);
  a[3] = _mm512_shuffle_ps(high[0], high[1], 0xee);
}
SLUICEGATE_INLINE Float fill(float a) { return _mm512_set1_ps(a); }
SLUICEGATE_INLINE Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
SLUICEGATE_INLINE Float subtract(Float a, Float b) { return _mm512_sub_ps(a, b); }
SLUICEGATE_INLINE Float multiply(Float a, Float b) { return _mm512_mul_ps(a, b); }
SLUICEGATE_INLINE Float multiply_add(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
SLUICEGATE_INLINE Float multiply_subtract_from(Float a, Float b, Float c) {
  return _mm512_fnmadd_ps(a, b, c);
}
// Where either is NaN, these two give b.
SLUICEGATE_INLINE Float minimum(Float a, Float b) { return _mm512_min_ps(a, b); }
SLUICEGATE_INLINE Float maximum(Float a, Float b) { return _mm512_max_ps(a, b); }
// b where not a <= 0, else 0.
SLUICEGATE_INLINE Float where_positive(Float a, Float b) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_NLE_UQ), b);
}
// a /= b for 1 <= b < 1e30: an estimate of 14 bits and a step of Newton's, a third of a division's time.
template <int N>
SLUICEGATE_INLINE void divide(Float (&a)[N], const Float (&b)[N]) {
  Float y[N], q[N];
  SLUICEGATE_EACH(N) y[i] = _mm512_rcp14_ps(b[i]);
  SLUICEGATE_EACH(N) q[i] = multiply(a[i], y[i]);
  SLUICEGATE_EACH(N) a[i] = multiply_subtract_from(q[i], b[i], a[i]);
  SLUICEGATE_EACH(N) a[i] = multiply_add(a[i], y[i], q[i]);
}

// Words of 64 bits, and the lower half of each times the upper one.
using Words = std::uint64_t __attribute__((vector_size(kWidth * sizeof(float))));
SLUICEGATE_INLINE Words multiply_halves(Words a) {
  return (Words)_mm512_mul_epu32((__m512i)a, _mm512_srli_epi64((__m512i)a, 32));
}

}  // namespace sluicegate::SLUICEGATE_ISA
