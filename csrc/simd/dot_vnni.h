// Whole numbers on AVX-512 with VNNI: four bytes without a sign times four with one, added to a sum exactly.
#pragma once

namespace sluicegate::SLUICEGATE_ISA {

inline constexpr int kDepth = 4, kShift = 127;
using Part = std::uint8_t;
using Weights = __m512i;

SLUICEGATE_INLINE Float smaller(Float a, Float b) { return minimum(a, b); }
SLUICEGATE_INLINE Float larger(Float a, Float b) { return maximum(a, b); }
SLUICEGATE_INLINE Weights weights(const std::int8_t* p) { return _mm512_loadu_si512(p); }
SLUICEGATE_INLINE Weights fill_word(std::uint32_t word) { return _mm512_set1_epi32(static_cast<int>(word)); }
SLUICEGATE_INLINE Ints dot(Ints sum, Weights word, Weights w) {
  return (Ints)_mm512_dpbusd_epi32((__m512i)sum, word, w);
}

}  // namespace sluicegate::SLUICEGATE_ISA
