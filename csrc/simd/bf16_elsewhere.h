// For instruction sets whose products of bfloat16 are another one's.
#pragma once

namespace sluicegate::SLUICEGATE_ISA {

inline constexpr bool kFloats = true, kRounds = false;

}  // namespace sluicegate::SLUICEGATE_ISA
