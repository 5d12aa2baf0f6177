// AVX2 with FMA: 8 floats, 16 registers.
#pragma once

#include <immintrin.h>

#include "kernels/base.h"

namespace sluicegate::SLUICEGATE_ISA {

using Float = __m256;
inline constexpr int kWidth = 8;
inline constexpr int kRegisters = 16;

SLUICEGATE_INLINE __m256i first(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

SLUICEGATE_INLINE Float load(const float* p) { return _mm256_loadu_ps(p); }
SLUICEGATE_INLINE Float load(const float* p, int n) { return _mm256_maskload_ps(p, first(n)); }
SLUICEGATE_INLINE void store(float* p, Float a) { _mm256_storeu_ps(p, a); }
SLUICEGATE_INLINE void store(float* p, Float a, int n) { _mm256_maskstore_ps(p, first(n), a); }
// A lane is four floats. These two transpose four floats of as many rows as a vector has: load_lanes takes
// them from every fourth row, and transpose turns each lane of four such vectors round.
SLUICEGATE_INLINE Float load_lanes(const float* const* rows, Index at) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[0] + at)), _mm_loadu_ps(rows[4] + at),
                              1);
}
SLUICEGATE_INLINE void transpose(Float (&a)[4]) {
  const Float low[2] = {_mm256_unpacklo_ps(a[0], a[1]), _mm256_unpacklo_ps(a[2], a[3])};
  const Float high[2] = {_mm256_unpackhi_ps(a[0], a[1]), _mm256_unpackhi_ps(a[2], a[3])};
  a[0] = _mm256_shuffle_ps(low[0], low[1], 0x44);
  a[1] = _mm256_shuffle_ps(low[0], low[1], 0xee);
  a[2] = _mm256_shuffle_ps(high[0], high[1], 0x44);
  a[3] = _mm256_shuffle_ps(high[0], high[1], 0xee);
}
SLUICEGATE_INLINE Float fill(float a) { return _mm256_set1_ps(a); }
SLUICEGATE_INLINE Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
SLUICEGATE_INLINE Float subtract(Float a, Float b) { return _mm256_sub_ps(a, b); }
SLUICEGATE_INLINE Float multiply(Float a, Float b) { return _mm256_mul_ps(a, b); }
SLUICEGATE_INLINE Float multiply_add(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
SLUICEGATE_INLINE Float multiply_subtract_from(Float a, Float b, Float c) {
  return _mm256_fnmadd_ps(a, b, c);
}
// Where either is NaN, these two give b.
SLUICEGATE_INLINE Float minimum(Float a, Float b) { return _mm256_min_ps(a, b); }
SLUICEGATE_INLINE Float maximum(Float a, Float b) { return _mm256_max_ps(a, b); }
// b where not a <= 0, else 0.
SLUICEGATE_INLINE Float where_positive(Float a, Float b) {
  return _mm256_and_ps(_mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_NLE_UQ), b);
}
// a /= b.
template <int N>
SLUICEGATE_INLINE void divide(Float (&a)[N], const Float (&b)[N]) {
  SLUICEGATE_EACH(N) a[i] = _mm256_div_ps(a[i], b[i]);
}

// Words of 64 bits, and the lower half of each times the upper one.
using Words = std::uint64_t __attribute__((vector_size(kWidth * sizeof(float))));
SLUICEGATE_INLINE Words multiply_halves(Words a) {
  return (Words)_mm256_mul_epu32((__m256i)a, _mm256_srli_epi64((__m256i)a, 32));
}

}  // namespace sluicegate::SLUICEGATE_ISA
