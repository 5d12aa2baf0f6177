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

// Gates [first, first + gates) of weights with so many columns as panels of these, the gates in the order of
// `place`.
inline void pack_columns(const float* weights, Index hidden, Index columns, int first, int gates,
                         const int* place, float* panels) {
  const Columns cut(columns);
  const Index depth = gates * hidden;
  for (Index p = 0; p < cut.panels(); ++p) {
    const Index width = (p < cut.whole ? kColumns : cut.rest) * kWidth;
    const Index left = cut.begin(p), n = least(width, columns - left);
    float* panel = panels + p * kColumns * kWidth * depth;
    for (int gate = 0; gate < gates; ++gate) {
      const float* from = weights + (first + gate) * hidden * columns + left;
      float* to = panel + place[gate] * hidden * width;
      for (Index row = 0; row < hidden; ++row, from += columns, to += width) {
        for (Index j = 0; j < n; ++j) to[j] = from[j];
        for (Index j = n; j < width; ++j) to[j] = 0.0f;
      }
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
  constexpr int in_order[4] = {0, 1, 2, 3};
  const BackwardLayout layout(s);
  const GradientRow row = gradient_row(s.cell);
  const bool before = s.cell == Cell::kGruBefore;
  if (s.recurrent())
    pack_columns(weights.hidden, s.hidden, s.hidden, 0, before ? 2 : s.gates(), row.of_recurrent,
                 panels + layout.recurrent);
  if (before) pack_columns(weights.hidden, s.hidden, s.hidden, 2, 1, in_order, panels + layout.candidate);
  pack_columns(weights.input, s.hidden, s.input, 0, s.gates(), in_order, panels + layout.input);
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
      product<V, S>(rows, a, panels + depth * place, depth, 0, 1, false, nullptr, out, place,
                    columns - place);
    });
  };
  if (backwards) rest();
  product<kColumns, S>(rows, a, panels, depth, begin, least(end, cut.whole), backwards, nullptr, out, 0,
                       columns);
  if (!backwards) rest();
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
