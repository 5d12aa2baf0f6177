// What every kernel header needs. The templates are compiled once for each instruction set, in a namespace of
// its own, so that no function compiled for a newer processor can be linked into code for an older one. For
// the same reason nothing here may use the standard library's templates: their code could be shared between
// the two.
#pragma once

#include <cstdint>

#define SLUICEGATE_INLINE [[gnu::always_inline]] inline

// The statement for i = 0 .. count - 1, count being a constant, all of it unrolled.
#define SLUICEGATE_EACH(count) _Pragma("GCC unroll 32") for (int i = 0; i < (count); ++i)

namespace sluicegate::SLUICEGATE_ISA {

using Index = std::int64_t;

constexpr Index least(Index a, Index b) { return a < b ? a : b; }
constexpr Index most(Index a, Index b) { return a > b ? a : b; }
constexpr Index divide_up(Index a, Index b) { return (a + b - 1) / b; }
constexpr Index round_up(Index a, Index b) { return divide_up(a, b) * b; }

}  // namespace sluicegate::SLUICEGATE_ISA
