// Whole numbers for any processor: products of 32 bits.
#pragma once

namespace sluicegate::SLUICEGATE_ISA {

inline constexpr int kDepth = 2, kShift = 0;
using Part = std::int16_t;
struct Weights {
  Ints even, odd;
};

SLUICEGATE_INLINE Float smaller(Float a, Float b) { return minimum(a, b); }
SLUICEGATE_INLINE Float larger(Float a, Float b) { return maximum(a, b); }
SLUICEGATE_INLINE Weights weights(const std::int8_t* p) {
  return {Ints{p[0], p[2], p[4], p[6]}, Ints{p[1], p[3], p[5], p[7]}};
}
SLUICEGATE_INLINE Weights fill_word(std::uint32_t word) {
  std::int16_t both[2];
  __builtin_memcpy(both, &word, sizeof(both));
  return {Ints{} + both[0], Ints{} + both[1]};
}
SLUICEGATE_INLINE Ints dot(Ints sum, const Weights& word, const Weights& w) {
  return sum + word.even * w.even + word.odd * w.odd;
}

}  // namespace sluicegate::SLUICEGATE_ISA
