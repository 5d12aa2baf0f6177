// bfloat16 by the processor's own products: each adds two in depth to a sum, the later one first.
//
// They take numbers too small to be normal for 0, and give 0 for such.
#pragma once

namespace sluicegate::SLUICEGATE_ISA {

inline constexpr bool kFloats = false, kRounds = true;  // the kernels of AVX-512 serve for floats

template <>
struct Dot<Bf16> {
  static constexpr int kDepth = 2, kSteps = 1;

  SLUICEGATE_INLINE static Float join(const Float (&rows)[kDepth]) { return Bf16::join(rows); }
  template <int Step>
  SLUICEGATE_INLINE static Float weights(const float* panel) {
    return load(panel);
  }
  SLUICEGATE_INLINE static Float multiply_add(Float a, Float b, Float c) {
    return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
  }
  // In pairs, as the weights are. There is room for whole vectors.
  SLUICEGATE_INLINE static void round_row(const float* from, Index depth, float* to) {
    for (Index k = 0; k < depth; k += kWidth) {
      const Float a = k + kWidth <= depth ? load(from + k) : load(from + k, static_cast<int>(depth - k));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + k / kDepth), (__m256i)_mm512_cvtneps_pbh(a));
    }
  }
};

}  // namespace sluicegate::SLUICEGATE_ISA
