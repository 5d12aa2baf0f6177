// How the weights are laid out for the backward pass: as panels of plain columns.
#pragma once

#include "kernels/layout.h"

namespace sluicegate::SLUICEGATE_ISA {

// Vectors of a panel of plain columns.
inline constexpr int kColumns = 3;

// Plain columns cut into panels of kColumns vectors, the last of which may have fewer.
struct Columns {
  Index count;
  Index whole;
  int rest;  // vectors of the last panel, 0 when all are whole

  explicit Columns(Index n)
      : count(n),
        whole(divide_up(n, kWidth) / kColumns),
        rest(static_cast<int>(divide_up(n, kWidth) % kColumns)) {}
  Index panels() const { return whole + (rest > 0); }
  Index floats(Index depth) const { return (whole * kColumns + rest) * kWidth * depth; }
  Index begin(Index panel) const { return least(count, panel * kColumns * kWidth); }
};

// Gates in the order in which the weights have them.
inline constexpr int kInOrder[4] = {0, 1, 2, 3};

// Parts of as many rows of weights as make a word, as a row of a panel of so many vectors. A row that is null
// is of zeros.
template <class W>
inline void copy_rows(const float* const (&from)[Dot<W>::kDepth], Index columns, float* to, Index width) {
  for (Index j = 0; j < width; j += kWidth) {
    const int n = static_cast<int>(most(0, least(kWidth, columns - j)));
    Float rows[Dot<W>::kDepth];
    SLUICEGATE_EACH(Dot<W>::kDepth)
    rows[i] = !from[i] ? fill(0.0f) : n == kWidth ? load(from[i] + j) : load(from[i] + j, n);
    store(to + j, Dot<W>::join(rows));
  }
}

// Gates [first, first + gates) of weights with so many columns as panels of these, the gates in the order of
// `place`. Some rows at a time: they are read from end to end, and what goes to a panel follows each other.
template <class W>
inline void pack_columns(const float* weights, Index hidden, Index columns, int first, int gates,
                         const int* place, float* panels) {
  constexpr Index kBlock = 8, kDepth = Dot<W>::kDepth;
  const Columns cut(columns);
  const Index depth = gates * hidden, count = words<W>(depth);
  const float* of_part[4];
  for (int gate = 0; gate < gates; ++gate) of_part[place[gate]] = weights + (first + gate) * hidden * columns;
  for (Index begin = 0; begin < count; begin += kBlock) {
    const Index end = least(count, begin + kBlock);
    const float* rows[kBlock][kDepth];
    for (Index k = begin * kDepth; k < end * kDepth; ++k)
      rows[k / kDepth - begin][k % kDepth] = k < depth ? of_part[k / hidden] + k % hidden * columns : nullptr;
    for (Index p = 0; p < cut.panels(); ++p) {
      const Index width = (p < cut.whole ? kColumns : cut.rest) * kWidth;
      const Index left = cut.begin(p);
      float* to = panels + p * kColumns * kWidth * count;
      for (Index row = begin; row < end; ++row) {
        const float* from[kDepth];
        SLUICEGATE_EACH(kDepth) from[i] = rows[row - begin][i] ? rows[row - begin][i] + left : nullptr;
        copy_rows<W>(from, columns - left, to + row * width, width);
      }
    }
  }
}

// Where the panels begin: of the recurrent weights of each phase, and of the input weights.
struct BackwardLayout {
  Index phase[2], input, total;

  explicit BackwardLayout(const Shape& s) {
    const Columns hidden(s.hidden), in(s.input);
    input = 0;
    for (int i = 0; i < s.traits().phases; ++i) {
      phase[i] = input;
      if (s.recurrent()) input += hidden.floats(s.words(s.traits().phase[i].count * s.hidden));
    }
    total = input + in.floats(s.words(s.gates() * s.hidden));
  }
};

// The order of the gates of a phase in its panels: that of their gradients.
inline const int* order_of(const CellTraits& traits, int phase) {
  return phase == 0 ? traits.gradient.of_recurrent : kInOrder;
}

inline Index backward_panels(const Shape& shape) { return BackwardLayout(shape).total; }

inline void pack_backward(const Shape& s, const Weights& weights, float* panels) {
  const BackwardLayout layout(s);
  const CellTraits& traits = s.traits();
  with_weights(s.precision, [&]<class W>() {
    for (int i = 0; i < traits.phases && traits.recurrent; ++i)
      pack_columns<W>(weights.hidden, s.hidden, s.hidden, traits.phase_begin(i), traits.phase[i].count,
                      order_of(traits, i), panels + layout.phase[i]);
    pack_columns<W>(weights.input, s.hidden, s.input, 0, s.gates(), kInOrder, panels + layout.input);
  });
}

// The product of rows with panels of plain columns, for the panels [begin, end): it takes the place of what
// was in a `fresh` target, and is added to what is in another.
template <class W>
inline void multiply_columns(Index rows, const float* const* a, const float* panels, Index depth,
                             const Columns& cut, Index begin, Index end, bool backwards, bool fresh,
                             float* const* out, Index columns) {
  auto rest = [&] {
    if (!cut.rest || end != cut.panels()) return;
    const Index place = cut.whole * kColumns * kWidth;
    with_constant<kColumns - 1>(cut.rest, [&]<int V>() {
      product<V>(rows, a, Panels<W>{.laid_out = panels + words<W>(depth) * place}, depth, 0, 1, false, fresh,
                 nullptr, out, place, columns - place);
    });
  };
  if (backwards) rest();
  product<kColumns>(rows, a, Panels<W>{.laid_out = panels}, depth, begin, least(end, cut.whole), backwards,
                    fresh, nullptr, out, 0, columns);
  if (!backwards) rest();
}

// out[r][j] += a[r][0] * w[0][j] + ... + a[r][K - 1] * w[K - 1][j], for the columns [begin, end).
template <int R, int K>
SLUICEGATE_INLINE void add_multiples(const float* const* a, Index at, const float* w, Index columns,
                                     Index begin, Index end, float* const* out) {
  Float x[R][K];
  for (int r = 0; r < R; ++r)
    for (int k = 0; k < K; ++k) x[r][k] = fill(a[r][at + k]);
  auto add_to = [&](Index j, auto lanes) {
    Float row[K];
    SLUICEGATE_EACH(K) row[i] = load(w + i * columns + j, lanes);
#pragma GCC unroll 2
    for (int r = 0; r < R; ++r) {
      Float sum = load(out[r] + j, lanes);
      SLUICEGATE_EACH(K) sum = multiply_add(x[r][i], row[i], sum);
      store(out[r] + j, sum, lanes);
    }
  };
  Index j = begin;
  for (; j + 2 * kWidth <= end; j += 2 * kWidth) {  // one at a time took a third longer
    add_to(j, All{});
    add_to(j + kWidth, All{});
  }
  for (; j + kWidth <= end; j += kWidth) add_to(j, All{});
  if (j < end) add_to(j, static_cast<int>(end - j));
}

// The product of rows with the weights of gates [first, first + gates) as they lie, for the columns [begin,
// end): `a` has a row's numbers in the order of `place`, and every sum is the same chain as with panels. For
// a few rows and one step it takes a fraction of the time that laying out the weights would.
inline void multiply_weights(Index rows, const float* const* a, const float* weights, Index hidden,
                             Index columns, int first, int gates, const int* place, Index begin, Index end,
                             bool fresh, float* const* out) {
  constexpr int kDeep = 4;
  // Columns whose sums stay in the first cache. Of 2,048 columns, weights come at 21 GB/s from rows that are
  // read from end to end, and at 13 from rows that are read by 512.
  const Index block = most(512, 4096 / most(1, rows));
  if (fresh)
    for (Index i = 0; i < rows; ++i)
      for (Index j = begin; j < end; ++j) out[i][j] = 0.0f;
  for (Index left = begin; left < end; left += block) {
    const Index right = least(end, left + block);
    for (int part = 0; part < gates; ++part) {
      int gate = 0;
      while (place[gate] != part) ++gate;
      const float* w = weights + (first + gate) * hidden * columns;
      const Index at = part * hidden;
      Index k = 0;
      for (; k + kDeep <= hidden; k += kDeep) {
        Index i = 0;
        for (; i + 2 <= rows; i += 2)
          add_multiples<2, kDeep>(a + i, at + k, w + k * columns, columns, left, right, out + i);
        if (i < rows) add_multiples<1, kDeep>(a + i, at + k, w + k * columns, columns, left, right, out + i);
      }
      for (; k < hidden; ++k)
        for (Index i = 0; i < rows; ++i)
          add_multiples<1, 1>(a + i, at + k, w + k * columns, columns, left, right, out + i);
    }
  }
}

}  // namespace sluicegate::SLUICEGATE_ISA
