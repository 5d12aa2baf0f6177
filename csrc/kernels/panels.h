// The weights as the products read them: in panels, vectors of columns side by side for every k, one k after
// the other. They are laid out beforehand, or made of the weights while a product goes over them.
#pragma once

#include "kernels/dot.h"

namespace sluicegate::SLUICEGATE_ISA {

// A whole vector. Fewer lanes than that are given by their number.
struct All {};
SLUICEGATE_INLINE Float load(const float* p, All) { return load(p); }
SLUICEGATE_INLINE void store(float* p, Float a, All) { store(p, a); }

// Columns [begin, end) of a vector of rows of weights, as parts of rows of a panel: those are `width` apart,
// and the first is at `to`. Only so many lanes are written.
template <class W, class L>
SLUICEGATE_INLINE void transpose_rows(const float* const (&rows)[kWidth], Index begin, Index end, float* to,
                                      Index width, L lanes) {
  constexpr Index kLine = 16, kAhead = 4 * kLine;
  constexpr int kDepth = Dot<W>::kDepth, kWords = 4 / kDepth;
  // The compiler takes any of the stores for one to where the addresses are, unless they have a place of
  // their own.
  const float* from[kWidth];
  SLUICEGATE_EACH(kWidth) from[i] = rows[i] + begin;
  const Index count = end - begin;
  Index k = 0;
  for (; k + 4 <= count; k += 4, to += kWords * width) {
    if (k % kLine == 0) SLUICEGATE_EACH(kWidth) __builtin_prefetch(from[i] + k + kAhead);
    Float columns[4];
    SLUICEGATE_EACH(4) columns[i] = load_lanes(from + i, k);
    transpose(columns);
    SLUICEGATE_EACH(kWords) {
      Float word[kDepth];
      for (int j = 0; j < kDepth; ++j) word[j] = columns[i * kDepth + j];
      store(to + i * width, Dot<W>::join(word), lanes);
    }
  }
  for (; k < count; k += kDepth, to += width) {
    Float word[kDepth];
    for (int j = 0; j < kDepth; ++j) {
      float column[kWidth] = {};
      if (k + j < count) SLUICEGATE_EACH(kWidth) column[i] = from[i][k + j];
      word[j] = load(column);
    }
    store(to, Dot<W>::join(word), lanes);
  }
}

// Gates [first, first + count) of weights of `depth` columns and so many units.
struct Gates {
  const float* weights = nullptr;
  Index depth = 0, hidden = 0;
  int first = 0, count = 0;
};

// Weights [begin, end) of the columns of a panel: its gates of the units from `unit` on, `lanes` of each. It
// begins with a word.
template <class W>
inline void pack_panel(const Gates& gates, Index unit, int lanes, int vectors, Index begin, Index end,
                       float* panel) {
  const Index width = vectors * kWidth, used = gates.count * lanes;
  const float* rows[4][kWidth];
  Index row = 0;
  for (int gate = 0; gate < gates.count; ++gate)
    for (int lane = 0; lane < lanes; ++lane, ++row)
      rows[row / kWidth][row % kWidth] =
          gates.weights + ((gates.first + gate) * gates.hidden + unit + lane) * gates.depth;
  for (; row < width; ++row) rows[row / kWidth][row % kWidth] = gates.weights;  // read, and not written
  if (used < width)
    for (Index i = 0; i < words<W>(end - begin) * width; ++i) panel[i] = 0.0f;
  // So much of a panel stays in the first cache while every vector is written to it.
  constexpr Index kBlock = 64;
  for (Index from = begin; from < end; from += kBlock)
    for (int v = 0; v < vectors; ++v) {
      const Index to = least(end, from + kBlock), there = used - v * kWidth;
      float* place = panel + words<W>(from - begin) * width + v * kWidth;
      if (there >= kWidth)
        transpose_rows<W>(rows[v], from, to, place, width, All{});
      else
        transpose_rows<W>(rows[v], from, to, place, width, static_cast<int>(there));
    }
}

// sums[r stride + m] += sum over k of a[r][k] * weights, by the chains that panels would give, of M vectors
// of units at once: the rows of weights of each follow each other from `first[m]` on, and those of the next
// product begin at `first[M]`. Nothing is stored on the way. Each row is asked for four lines at a time:
// line by line, weights of 2,048 units came at 19 GB/s, not 24. Every tile of few rows calls it, and has no
// copy of its own: those took a tenth of the compiler's time.
template <int M, int R>
[[gnu::noinline]] void accumulate_rows(Float* sums, Index stride, const float* const* a,
                                       const float* const* first, Index depth) {
  constexpr Index kLine = 16, kBurst = 4 * kLine, kAhead = 4 * kBurst;
  constexpr int kInTurn = kWidth / 4;  // rows that are asked for while a line is computed
  Float own[M][R];
  for (int m = 0; m < M; ++m) SLUICEGATE_EACH(R) own[m][i] = sums[i * stride + m];
  Index k = 0;
  for (; k + kLine <= depth; k += kLine) {
    const Index ahead = k / kBurst * kBurst + kAhead, turn = k % kBurst / kLine * kInTurn;
#pragma GCC unroll 2
    for (int m = 0; m < M; ++m) {
      const float* from = ahead < depth ? first[m] + ahead : first[M] + ahead - depth;
      for (int i = 0; i < kInTurn; ++i)
        for (Index line = 0; line < kBurst; line += kLine)
          __builtin_prefetch(from + (turn + i) * depth + line, 0, 2);
      const float* rows[kWidth];
      SLUICEGATE_EACH(kWidth) rows[i] = first[m] + i * depth + k;
#pragma GCC unroll 4
      for (Index j = 0; j < kLine; j += 4) {
        Float columns[4];
        SLUICEGATE_EACH(4) columns[i] = load_lanes(rows + i, j);
        transpose(columns);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r)
          SLUICEGATE_EACH(4) own[m][r] = multiply_add(fill(a[r][k + j + i]), columns[i], own[m][r]);
      }
    }
  }
  for (; k < depth; ++k)
    for (int m = 0; m < M; ++m) {
      float column[kWidth];
      SLUICEGATE_EACH(kWidth) column[i] = first[m][i * depth + k];
      SLUICEGATE_EACH(R) own[m][i] = multiply_add(fill(a[i][k]), load(column), own[m][i]);
    }
  for (int m = 0; m < M; ++m) SLUICEGATE_EACH(R) sums[i * stride + m] = own[m][i];
}

// The same for all N. Rows of up to 512 numbers two vectors at a time, which come at 35 GB/s so and at 25 one
// by one; of longer ones, which come from farther away, eight rows are read faster than sixteen (24 and 17
// GB/s).
template <int R, int N>
SLUICEGATE_INLINE void accumulate_transposed(Float (&sums)[R][N], const float* const (&a)[R],
                                             const float* const (&first)[N + 1], Index depth) {
  Float passed[R][N];  // whose address may be known: the sums themselves stay in registers
  for (int r = 0; r < R; ++r) SLUICEGATE_EACH(N) passed[r][i] = sums[r][i];
  int n = 0;
  if constexpr (R <= 2)
    if (depth <= 512)
      for (; n + 2 <= N; n += 2) accumulate_rows<2, R>(passed[0] + n, N, a, first + n, depth);
  for (; n < N; ++n) accumulate_rows<1, R>(passed[0] + n, N, a, first + n, depth);
  for (int r = 0; r < R; ++r) SLUICEGATE_EACH(N) sums[r][i] = passed[r][i];
}

// The panels of a product, of weights of type W.
template <class W>
struct Panels {
  const float* laid_out = nullptr;  // one after the other; where it is null, they are made of
  Gates gates{};
  Index unit = 0;         // where the first panel begins
  int lanes = kWidth;     // units of a panel
  float* room = nullptr;  // for as much as is made at once, so that it is near when the product comes to it
};

}  // namespace sluicegate::SLUICEGATE_ISA
