// The gates of each cell in the backward pass.
#pragma once

#include "kernels/cells.h"

namespace sluicegate::SLUICEGATE_ISA {

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

struct GruBack : Of<Cell::kGru> {
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

struct GruCandidateBack
    : Of<Cell::kGruBefore, 1> {  // of a GRU with the reset before: as far as the product of n
  template <class L>
  SLUICEGATE_INLINE static void apply(const BackStep& s, Index unit, L lanes) {
    const Float z = kept(s, 1, unit, lanes), n = kept(s, 2, unit, lanes), h = load(s.before + unit, lanes);
    const Float dh = state_gradient(s, unit, lanes);
    give(s, 1, unit, through_sigmoid(multiply(dh, subtract(h, n)), z), lanes);
    give(s, 2, unit, through_activation(multiply_subtract_from(dh, z, dh), n, s.relu), lanes);
    store(s.state + unit, multiply(dh, z), lanes);
  }
};

struct GruResetBack : Of<Cell::kGruBefore, 0> {  // of a GRU with the reset before: from the product of n on
  template <class L>
  SLUICEGATE_INLINE static void apply(const BackStep& s, Index unit, L lanes) {
    const Float r = kept(s, 0, unit, lanes), product = load(s.product + unit, lanes);
    give(s, 0, unit, through_sigmoid(multiply(product, load(s.before + unit, lanes)), r), lanes);
    store(s.state + unit, multiply_add(product, r, load(s.state + unit, lanes)), lanes);
  }
};

struct LstmBack : Of<Cell::kLstm> {
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

struct RnnBack : Of<Cell::kRnn> {
  template <class L>
  SLUICEGATE_INLINE static void apply(const BackStep& s, Index unit, L lanes) {
    const Float h = load(s.output + unit, lanes);
    give(s, 0, unit, through_activation(state_gradient(s, unit, lanes), h, s.relu), lanes);
  }
};

struct LiGruBack : Of<Cell::kLiGru> {
  template <class L>
  SLUICEGATE_INLINE static void apply(const BackStep& s, Index unit, L lanes) {
    const Float z = kept(s, 0, unit, lanes), n = kept(s, 1, unit, lanes), h = load(s.before + unit, lanes);
    const Float dh = state_gradient(s, unit, lanes);
    give(s, 0, unit, through_sigmoid(multiply(dh, subtract(h, n)), z), lanes);
    give(s, 1, unit, through_activation(multiply_subtract_from(dh, z, dh), n, s.relu), lanes);
    store(s.state + unit, multiply(dh, z), lanes);
  }
};

using Derivatives = Steps<GruBack, GruCandidateBack, GruResetBack, LstmBack, RnnBack, LiGruBack>;

template <class C>
inline void step_backward(const BackStep& s, Index begin, Index end) {
  Index unit = begin;
  for (; unit + kWidth <= end; unit += kWidth) C::apply(s, unit, All{});
  if (unit < end) C::apply(s, unit, static_cast<int>(end - unit));
}

}  // namespace sluicegate::SLUICEGATE_ISA
