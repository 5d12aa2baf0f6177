// A number that tells whether floats are still the same, at the speed at which memory can be read.
#pragma once

#include "kernels/base.h"

namespace sluicegate::SLUICEGATE_ISA {

// Every word is mixed with a key of its own place and multiplied half by half, as in the family of XXH3. It
// guards against change, not against an enemy.
inline std::uint64_t fingerprint(const float* data, Index count) {
  constexpr int kLanes = 8;
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15u;
  // No small multiple of the above: where it was one, 1 in one place and 2 in another could look the same.
  constexpr std::uint64_t kFirst = 0xd6e8feb86659fd93u;
  std::uint64_t sums[kLanes], keys[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    keys[i] = kFirst * static_cast<std::uint64_t>(2 * i + 1);
    sums[i] = keys[i] ^ static_cast<std::uint64_t>(count);
  }
  auto mix = [&](const float* from, Index floats) {
    std::uint64_t words[kLanes] = {};
    __builtin_memcpy(words, from, floats * sizeof(float));
    for (int i = 0; i < kLanes; ++i) {
      const std::uint64_t word = words[i] ^ keys[i];
      sums[i] += words[i] + (word & 0xffffffffu) * (word >> 32);
      keys[i] += kOdd;
    }
  };
  constexpr Index kStripe = 2 * kLanes;
  Index at = 0;
  for (; at + kStripe <= count; at += kStripe) mix(data + at, kStripe);
  if (at < count) mix(data + at, count - at);
  std::uint64_t all = 0;
  for (std::uint64_t sum : sums) all = (all ^ (sum ^ (sum >> 29))) * kOdd;
  return all ^ (all >> 32);
}

}  // namespace sluicegate::SLUICEGATE_ISA
