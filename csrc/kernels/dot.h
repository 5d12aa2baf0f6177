// The types that weights may have, and how a product reads them.
//
// A panel is made of words of 32 bits. A word holds as much of one column as follows each other in depth: one
// float, or two numbers of bfloat16, the earlier one in the lower half. The rows that are multiplied with it
// are rounded to the weights' type before; sums are floats.
//
// Whatever the instruction set, bfloat16 means the same: both factors are rounded, to the nearest and of two
// as near to the even one, as PyTorch rounds them under autocast. Rows that were not rounded where the
// processor can do without would give a model other numbers on another machine, and win nothing: a row is
// rounded once and multiplied with every panel.
#pragma once

#include SLUICEGATE_SIMD
#include "sluicegate/recurrent.h"

namespace sluicegate::SLUICEGATE_ISA {

// The lanes of a vector as bits.
using Bits = std::uint32_t __attribute__((vector_size(kWidth * sizeof(float))));

// How a product reads weights of type W. `kDepth` weights make a word, which takes `kSteps` multiply-adds,
// each with a word of the row.
template <class W>
struct Dot;

template <>
struct Dot<float> {
  static constexpr int kDepth = 1, kSteps = 1;

  SLUICEGATE_INLINE static Float join(const Float (&rows)[kDepth]) { return rows[0]; }
  template <int Step>
  SLUICEGATE_INLINE static Float weights(const float* panel) {
    return load(panel);
  }
  SLUICEGATE_INLINE static Float multiply_add(Float a, Float b, Float c) {
    return SLUICEGATE_ISA::multiply_add(a, b, c);
  }
};

// Of bfloat16 the upper half of a float.
struct Bf16 {
  static constexpr std::uint32_t kUpper = 0xffff0000u, kQuiet = 0x00400000u;

  // The nearest number of bfloat16, as the float that it is; NaN, which may have all of its bits in the lower
  // half, stays NaN.
  SLUICEGATE_INLINE static Bits nearest(Float a) {
    const Bits bits = (Bits)a;
    const Bits nan = (Bits)(a != a);
    return (((bits + 0x7fffu + ((bits >> 16) & 1u)) & ~nan) | ((bits | kQuiet) & nan)) & kUpper;
  }
  // Two vectors as one, whose words hold a number of either.
  SLUICEGATE_INLINE static Float join(const Float (&rows)[2]) {
    return (Float)((nearest(rows[0]) >> 16) | nearest(rows[1]));
  }
};

}  // namespace sluicegate::SLUICEGATE_ISA

#include SLUICEGATE_BF16

namespace sluicegate::SLUICEGATE_ISA {

// Words of a panel, and of a row that it is multiplied with, for so many weights in depth.
template <class W>
constexpr Index words(Index depth) {
  return divide_up(depth, Dot<W>::kDepth);
}
template <class W>
constexpr Index row_words(Index depth) {
  return words<W>(depth) * Dot<W>::kSteps;
}

// Calls f with the type of the weights as a template argument: f.template operator()<W>().
template <class F>
SLUICEGATE_INLINE void with_weights(Precision precision, F&& f) {
  if constexpr (kFloats)
    if (!kRounds || precision == Precision::kFp32) return f.template operator()<float>();
  if constexpr (kRounds) f.template operator()<Bf16>();
}

// The rows of a product as weights of type W take them: of floats they are what they are, else rounded copies
// `stride` apart in `room`, at which `rounded` points, which may be where the rows were.
template <class W>
SLUICEGATE_INLINE const float* const* operands(Index rows, const float* const* a, Index depth,
                                               const float** rounded, float* room, Index stride) {
  if constexpr (Dot<W>::kDepth == 1) {
    return a;
  } else {
    for (Index i = 0; i < rows; ++i, room += stride) {
      Dot<W>::round_row(a[i], depth, room);
      rounded[i] = room;
    }
    return rounded;
  }
}

}  // namespace sluicegate::SLUICEGATE_ISA
