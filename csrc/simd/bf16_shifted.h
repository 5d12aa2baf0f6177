// bfloat16 for instruction sets without products of it: a word becomes two floats by a shift and a mask, so
// that every element of a result is one chain of fused multiply-adds, as of floats.
#pragma once

namespace sluicegate::SLUICEGATE_ISA {

inline constexpr bool kFloats = true, kRounds = true;  // the kernels for floats are made here too

// For as many lanes as there may be.
alignas(64) constexpr std::uint32_t kUpperHalves[16] = {
    Bf16::kUpper, Bf16::kUpper, Bf16::kUpper, Bf16::kUpper, Bf16::kUpper, Bf16::kUpper,
    Bf16::kUpper, Bf16::kUpper, Bf16::kUpper, Bf16::kUpper, Bf16::kUpper, Bf16::kUpper,
    Bf16::kUpper, Bf16::kUpper, Bf16::kUpper, Bf16::kUpper};

template <>
struct Dot<Bf16> {
  static constexpr int kDepth = 2, kSteps = 2;

  SLUICEGATE_INLINE static Float join(const Float (&rows)[kDepth]) { return Bf16::join(rows); }
  template <int Step>
  SLUICEGATE_INLINE static Float weights(const float* panel) {
    const Bits both = (Bits)load(panel);
    if constexpr (Step == 0) return (Float)(both << 16);
    if constexpr (kRegisters > 16) return (Float)(both & Bf16::kUpper);
    // A mask in a register would drive a sum out of the registers, which took a third longer. From an address
    // that it does not know, the compiler can only read it where it is used.
    const std::uint32_t* upper = kUpperHalves;
    asm volatile("" : "+r"(upper));
    Bits mask;
    __builtin_memcpy(&mask, upper, sizeof(mask));
    return (Float)(both & mask);
  }
  SLUICEGATE_INLINE static Float multiply_add(Float a, Float b, Float c) {
    return SLUICEGATE_ISA::multiply_add(a, b, c);
  }
  // As floats: one is read for each multiply-add. There is room for whole vectors.
  SLUICEGATE_INLINE static void round_row(const float* from, Index depth, float* to) {
    Index k = 0;
    for (; k + kWidth <= depth; k += kWidth) store(to + k, (Float)Bf16::nearest(load(from + k)));
    if (k < depth) store(to + k, (Float)Bf16::nearest(load(from + k, static_cast<int>(depth - k))));
  }
};

}  // namespace sluicegate::SLUICEGATE_ISA
