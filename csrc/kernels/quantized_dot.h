// Vectors of whole numbers beside those of floats, and how a row of floats becomes words of them.
//
// An instruction set says in its header how many numbers a word holds (kDepth), of what type (Part), how much
// is added to each (kShift), so that it may be one without a sign, and how a word is multiplied with weights.
#pragma once

#include SLUICEGATE_SIMD

namespace sluicegate::SLUICEGATE_ISA {

using Ints = std::int32_t __attribute__((vector_size(kWidth * sizeof(std::int32_t))));

struct All {};
SLUICEGATE_INLINE Float load(const float* p, All) { return load(p); }
SLUICEGATE_INLINE void store(float* p, Float a, All) { store(p, a); }

SLUICEGATE_INLINE Ints load_ints(const std::int32_t* p) {
  Ints a;
  __builtin_memcpy(&a, p, sizeof(a));
  return a;
}
SLUICEGATE_INLINE Float to_floats(Ints a) { return (Float) __builtin_convertvector(a, Float); }

}  // namespace sluicegate::SLUICEGATE_ISA

#include SLUICEGATE_DOT

namespace sluicegate::SLUICEGATE_ISA {

inline constexpr int kLargest = 127;

// Rounds what lies between -127 and 127, to nearest and of two as near to the even one: added to 1.5 * 2^23,
// a number has no room for more than its whole part.
SLUICEGATE_INLINE Ints round_small(Float a) {
  constexpr float kWholeOnly = 12582912.0f;
  constexpr std::int32_t kItsBits = 0x4b400000;
  return (Ints)add(a, fill(kWholeOnly)) - kItsBits;
}

// The numbers of a vector as parts of words. NaN becomes the largest, since `minimum` gives b there.
SLUICEGATE_INLINE void put_whole(Float scaled, Part* to) {
  using Parts = Part __attribute__((vector_size(kWidth * sizeof(Part))));
  const Float held = larger(smaller(scaled, fill(kLargest)), fill(-kLargest));
  const Parts parts = __builtin_convertvector(round_small(held) + kShift, Parts);
  __builtin_memcpy(to, &parts, sizeof(parts));
}

// A row of floats as words, each number times a factor of its own, or all times the same.
inline void to_words(const float* row, Index depth, const float* factors, float factor, std::uint32_t* to) {
  Part* parts = reinterpret_cast<Part*>(to);
  for (Index k = 0; k < depth; k += kWidth) {
    const Float a = k + kWidth <= depth ? load(row + k) : load(row + k, static_cast<int>(depth - k));
    put_whole(multiply(a, factors ? load(factors + k) : fill(factor)), parts + k);
  }
}

}  // namespace sluicegate::SLUICEGATE_ISA
