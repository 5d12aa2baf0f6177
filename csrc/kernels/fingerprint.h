// A number that tells whether floats are still the same, at the speed at which memory can be read.
#pragma once

#include SLUICEGATE_SIMD

namespace sluicegate::SLUICEGATE_ISA {

// Every word is mixed with a key of its own place and multiplied half by half, as in the family of XXH3. It
// guards against change, not against an enemy.
inline std::uint64_t fingerprint(const float* data, Index count) {
  constexpr int kLanes = 8, kParts = kLanes * sizeof(std::uint64_t) / sizeof(Words);
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15u;
  // No small multiple of the above: where it was one, 1 in one place and 2 in another could look the same.
  constexpr std::uint64_t kFirst = 0xd6e8feb86659fd93u;
  std::uint64_t first[kLanes], lanes[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    first[i] = kFirst * static_cast<std::uint64_t>(2 * i + 1);
    lanes[i] = first[i] ^ static_cast<std::uint64_t>(count);
  }
  // In registers, for which no number that changes may tell which of them is meant.
  Words sums[kParts], keys[kParts];
  SLUICEGATE_EACH(kParts) {
    __builtin_memcpy(&keys[i], first + i * (kLanes / kParts), sizeof(Words));
    __builtin_memcpy(&sums[i], lanes + i * (kLanes / kParts), sizeof(Words));
  }
  constexpr Index kStripe = 2 * kLanes;
  auto mix = [&](const float* from) __attribute__((always_inline)) {
    SLUICEGATE_EACH(kParts) {
      Words words;
      __builtin_memcpy(&words, from + i * (kStripe / kParts), sizeof(Words));
      sums[i] += words + multiply_halves(words ^ keys[i]);
      keys[i] += kOdd;
    }
  };
  Index at = 0;
  for (; at + kStripe <= count; at += kStripe) mix(data + at);
  if (at < count) {
    float rest[kStripe] = {};
    __builtin_memcpy(rest, data + at, (count - at) * sizeof(float));
    mix(rest);
  }
  SLUICEGATE_EACH(kParts) __builtin_memcpy(lanes + i * (kLanes / kParts), &sums[i], sizeof(Words));
  std::uint64_t all = 0;
  for (std::uint64_t sum : lanes) all = (all ^ (sum ^ (sum >> 29))) * kOdd;
  return all ^ (all >> 32);
}

}  // namespace sluicegate::SLUICEGATE_ISA
