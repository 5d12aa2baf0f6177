// What the backward pass needs beside it: the weights as panels of plain columns, and the gates of each cell
// in the backward pass.
#pragma once

#include "kernels/cells.h"

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

// Where the gradients of the gates lie in a row of them, in units of `hidden`. Those that the recurrent
// weights take follow each other, and those that the input weights take.
struct GradientRow {
  int parts;
  int recurrent, input;  // where either begins
  int of_recurrent[4];   // by gate
  int of_input[4];
};

constexpr GradientRow gradient_row(Cell cell) {
  switch (cell) {
    case Cell::kGru:  // of the product beside r, of r, of z, of n
      return {4, 0, 1, {1, 2, 0, 0}, {1, 2, 3, 0}};
    case Cell::kGruBefore:
      return {3, 0, 0, {0, 1, 2, 0}, {0, 1, 2, 0}};
    case Cell::kLstm:
      return {4, 0, 0, {0, 1, 2, 3}, {0, 1, 2, 3}};
    case Cell::kMinGru:
      return {2, 0, 0, {0, 1, 0, 0}, {0, 1, 0, 0}};
    default:
      return {1, 0, 0, {0, 0, 0, 0}, {0, 0, 0, 0}};
  }
}

// Gates in the order in which the weights have them.
inline constexpr int kInOrder[4] = {0, 1, 2, 3};

// A part of a row of weights, as a row of a panel of so many vectors.
inline void copy_row(const float* from, Index columns, float* to, Index width) {
  if (columns < width) {
    for (Index j = 0; j < columns; ++j) to[j] = from[j];
    for (Index j = columns; j < width; ++j) to[j] = 0.0f;
    return;
  }
  for (Index j = 0; j < width; j += kWidth) store(to + j, load(from + j));
}

// Gates [first, first + gates) of weights with so many columns as panels of these, the gates in the order of
// `place`. Some rows at a time: they are read from end to end, and what goes to a panel follows each other.
inline void pack_columns(const float* weights, Index hidden, Index columns, int first, int gates,
                         const int* place, float* panels) {
  constexpr Index kBlock = 8;
  const Columns cut(columns);
  const Index depth = gates * hidden;
  for (int gate = 0; gate < gates; ++gate)
    for (Index begin = 0; begin < hidden; begin += kBlock) {
      const Index end = least(hidden, begin + kBlock);
      for (Index p = 0; p < cut.panels(); ++p) {
        const Index width = (p < cut.whole ? kColumns : cut.rest) * kWidth;
        const Index left = cut.begin(p), n = least(width, columns - left);
        const float* from = weights + (first + gate) * hidden * columns + left;
        float* to = panels + p * kColumns * kWidth * depth + place[gate] * hidden * width;
        for (Index row = begin; row < end; ++row) copy_row(from + row * columns, n, to + row * width, width);
      }
    }
}

// Where the panels begin: of the recurrent weights (all of them, or r and z), of those of n alone where the
// reset comes before, and of the input weights.
struct BackwardLayout {
  Index recurrent, candidate, input, total;

  explicit BackwardLayout(const Shape& s) {
    const Columns hidden(s.hidden), in(s.input);
    const bool before = s.cell == Cell::kGruBefore;
    recurrent = 0;
    candidate = s.recurrent() ? hidden.floats((before ? 2 : s.gates()) * s.hidden) : 0;
    input = candidate + (before ? hidden.floats(s.hidden) : 0);
    total = input + in.floats(s.gates() * s.hidden);
  }
};

inline Index backward_panels(const Shape& shape) { return BackwardLayout(shape).total; }

inline void pack_backward(const Shape& s, const Weights& weights, float* panels) {
  const BackwardLayout layout(s);
  const GradientRow row = gradient_row(s.cell);
  const bool before = s.cell == Cell::kGruBefore;
  if (s.recurrent())
    pack_columns(weights.hidden, s.hidden, s.hidden, 0, before ? 2 : s.gates(), row.of_recurrent,
                 panels + layout.recurrent);
  if (before) pack_columns(weights.hidden, s.hidden, s.hidden, 2, 1, kInOrder, panels + layout.candidate);
  pack_columns(weights.input, s.hidden, s.input, 0, s.gates(), kInOrder, panels + layout.input);
}

// The product of rows with panels of plain columns, for the panels [begin, end).
template <Start S>
inline void multiply_columns(Index rows, const float* const* a, const float* panels, Index depth,
                             const Columns& cut, Index begin, Index end, bool backwards, float* const* out,
                             Index columns) {
  auto rest = [&] {
    if (!cut.rest || end != cut.panels()) return;
    const Index place = cut.whole * kColumns * kWidth;
    with_constant<kColumns - 1>(cut.rest, [&]<int V>() {
      product<V, S>(rows, a, Panels{.laid_out = panels + depth * place}, depth, 0, 1, false, nullptr, out,
                    place, columns - place);
    });
  };
  if (backwards) rest();
  product<kColumns, S>(rows, a, Panels{.laid_out = panels}, depth, begin, least(end, cut.whole), backwards,
                       nullptr, out, 0, columns);
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
  for (; j + kWidth <= end; j += kWidth) add_to(j, All{});
  if (j < end) add_to(j, static_cast<int>(end - j));
}

// The product of rows with the weights of gates [first, first + gates) as they lie, for the columns [begin,
// end): `a` has a row's numbers in the order of `place`, and every sum is the same chain as with panels. For
// a few rows and one step it takes a fraction of the time that laying out the weights would.
template <Start S>
inline void multiply_weights(Index rows, const float* const* a, const float* weights, Index hidden,
                             Index columns, int first, int gates, const int* place, Index begin, Index end,
                             float* const* out) {
  constexpr int kDeep = 4;
  constexpr Index kBlock = 512;  // columns that stay in the first cache for some rows
  if constexpr (S == Start::kZero)
    for (Index i = 0; i < rows; ++i)
      for (Index j = begin; j < end; ++j) out[i][j] = 0.0f;
  for (Index left = begin; left < end; left += kBlock) {
    const Index right = least(end, left + kBlock);
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

// One step of one row in the backward pass. Pointers lead to unit 0.
struct BackStep {
  Index hidden;
  bool relu;
  const float* output_gradient;  // or null
  const float* saved;
  const float* output;             // RNN: h after
  const float* before;             // h before
  const float* cell_state_before;  // LSTM: c before
  float* state;          // in: the gradient of h after. out: what of it goes to h before past the product
  float* cell_state;     // LSTM: the gradient of c after, then before
  float* gradient;       // of the gates, a row as GradientRow has it
  const float* product;  // GRU with the reset before: the gradient of r * h
};

template <class L>
SLUICEGATE_INLINE Float kept(const BackStep& s, int kind, Index unit, L lanes) {
  return load(s.saved + kind * s.hidden + unit, lanes);
}

template <class L>
SLUICEGATE_INLINE void give(const BackStep& s, int part, Index unit, Float value, L lanes) {
  store(s.gradient + part * s.hidden + unit, value, lanes);
}

template <class L>
SLUICEGATE_INLINE Float state_gradient(const BackStep& s, Index unit, L lanes) {
  const Float later = load(s.state + unit, lanes);
  return s.output_gradient ? add(later, load(s.output_gradient + unit, lanes)) : later;
}

struct GruBack {
  template <class L>
  SLUICEGATE_INLINE static void apply(const BackStep& s, Index unit, L lanes) {
    const Float r = kept(s, 0, unit, lanes), z = kept(s, 1, unit, lanes), n = kept(s, 2, unit, lanes);
    const Float q = kept(s, 3, unit, lanes), h = load(s.before + unit, lanes);
    const Float dh = state_gradient(s, unit, lanes);
    const Float dn = through_activation(multiply_subtract_from(dh, z, dh), n, s.relu);
    give(s, 0, unit, multiply(dn, r), lanes);
    give(s, 1, unit, through_sigmoid(multiply(dn, q), r), lanes);
    give(s, 2, unit, through_sigmoid(multiply(dh, subtract(h, n)), z), lanes);
    give(s, 3, unit, dn, lanes);
    store(s.state + unit, multiply(dh, z), lanes);
  }
};

struct GruCandidateBack {  // of a GRU with the reset before: as far as the product of n
  template <class L>
  SLUICEGATE_INLINE static void apply(const BackStep& s, Index unit, L lanes) {
    const Float z = kept(s, 1, unit, lanes), n = kept(s, 2, unit, lanes), h = load(s.before + unit, lanes);
    const Float dh = state_gradient(s, unit, lanes);
    give(s, 1, unit, through_sigmoid(multiply(dh, subtract(h, n)), z), lanes);
    give(s, 2, unit, through_activation(multiply_subtract_from(dh, z, dh), n, s.relu), lanes);
    store(s.state + unit, multiply(dh, z), lanes);
  }
};

struct GruResetBack {  // of a GRU with the reset before: from the product of n on
  template <class L>
  SLUICEGATE_INLINE static void apply(const BackStep& s, Index unit, L lanes) {
    const Float r = kept(s, 0, unit, lanes), product = load(s.product + unit, lanes);
    give(s, 0, unit, through_sigmoid(multiply(product, load(s.before + unit, lanes)), r), lanes);
    store(s.state + unit, multiply_add(product, r, load(s.state + unit, lanes)), lanes);
  }
};

struct LstmBack {
  template <class L>
  SLUICEGATE_INLINE static void apply(const BackStep& s, Index unit, L lanes) {
    const Float i = kept(s, 0, unit, lanes), f = kept(s, 1, unit, lanes), g = kept(s, 2, unit, lanes);
    const Float o = kept(s, 3, unit, lanes);
    Float c[1] = {kept(s, 4, unit, lanes)};
    activate(c, s.relu);
    const Float shown = c[0];
    const Float dh = state_gradient(s, unit, lanes);
    const Float dc =
        add(load(s.cell_state + unit, lanes), through_activation(multiply(dh, o), shown, s.relu));
    give(s, 0, unit, through_sigmoid(multiply(dc, g), i), lanes);
    give(s, 1, unit, through_sigmoid(multiply(dc, load(s.cell_state_before + unit, lanes)), f), lanes);
    give(s, 2, unit, through_activation(multiply(dc, i), g, s.relu), lanes);
    give(s, 3, unit, through_sigmoid(multiply(dh, shown), o), lanes);
    store(s.cell_state + unit, multiply(dc, f), lanes);
  }
};

struct RnnBack {
  template <class L>
  SLUICEGATE_INLINE static void apply(const BackStep& s, Index unit, L lanes) {
    const Float h = load(s.output + unit, lanes);
    give(s, 0, unit, through_activation(state_gradient(s, unit, lanes), h, s.relu), lanes);
  }
};

template <class C>
inline void step_backward(const BackStep& s, Index begin, Index end) {
  Index unit = begin;
  for (; unit + kWidth <= end; unit += kWidth) C::apply(s, unit, All{});
  if (unit < end) C::apply(s, unit, static_cast<int>(end - unit));
}

}  // namespace sluicegate::SLUICEGATE_ISA
