// Whole numbers on AVX2: products of 16 bits, added in pairs, which are exact.
#pragma once

namespace sluicegate::SLUICEGATE_ISA {

inline constexpr int kDepth = 2, kShift = 0;
using Part = std::int16_t;
using Weights = __m256i;

SLUICEGATE_INLINE Float smaller(Float a, Float b) { return minimum(a, b); }
SLUICEGATE_INLINE Float larger(Float a, Float b) { return maximum(a, b); }
SLUICEGATE_INLINE Weights weights(const std::int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
SLUICEGATE_INLINE Weights fill_word(std::uint32_t word) { return _mm256_set1_epi32(static_cast<int>(word)); }
SLUICEGATE_INLINE Ints dot(Ints sum, Weights word, Weights w) {
  return sum + (Ints)_mm256_madd_epi16(word, w);
}

}  // namespace sluicegate::SLUICEGATE_ISA
