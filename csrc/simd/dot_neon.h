// Whole numbers on NEON: products of 16 bits, widened and added in pairs, which are exact.
#pragma once

namespace sluicegate::SLUICEGATE_ISA {

inline constexpr int kDepth = 2, kShift = 0;
using Part = std::int16_t;
using Weights = int16x8_t;

// Where either is NaN, these two give b: NEON's own minimum gives NaN.
SLUICEGATE_INLINE Float smaller(Float a, Float b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
SLUICEGATE_INLINE Float larger(Float a, Float b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
SLUICEGATE_INLINE Weights weights(const std::int8_t* p) { return vmovl_s8(vld1_s8(p)); }
SLUICEGATE_INLINE Weights fill_word(std::uint32_t word) { return vreinterpretq_s16_u32(vdupq_n_u32(word)); }
SLUICEGATE_INLINE Ints dot(Ints sum, Weights word, Weights w) {
  const int32x4_t low = vmull_s16(vget_low_s16(word), vget_low_s16(w));
  return (Ints)vaddq_s32((int32x4_t)sum, vpaddq_s32(low, vmull_high_s16(word, w)));
}

}  // namespace sluicegate::SLUICEGATE_ISA
