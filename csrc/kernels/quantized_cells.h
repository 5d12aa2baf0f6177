// The gates of a cell in int8: what is made of the sums of a tile while they are in registers.
#pragma once

#include "kernels/quantized_activations.h"
#include "kernels/quantized_layout.h"

namespace sluicegate::SLUICEGATE_ISA {

// One row at one step; pointers lead to unit 0.
struct Place {
  const float* share;  // the input's share, a row as QuantizedLayout has it
  float* h;            // before, and after
  float* c;            // of an LSTM: before, and after
  float* update;       // of a GRU with the reset before: z, and beside it r * h
  float* gated;
  float* output;  // h again where the caller wants it, or null
};

struct Gates {
  const float* hidden_bias;  // by unit
  bool relu;
};

template <class L>
SLUICEGATE_INLINE void put_state(const Place& at, Index unit, Float h, L lanes) {
  store(at.h + unit, h, lanes);
  if (at.output) store(at.output + unit, h, lanes);
}

// Which cell, and which gates of it: its sums come as `sum`, gate by gate, for N vectors of units from `unit`
// on, of which all have `lanes`. `x(v, i)` is the input's share of gate v for vector i.
template <Cell cell, int phase>
struct QuantizedStep;

template <int phase_count>
struct OfGates {
  static constexpr int kGates = phase_count;
};

template <>
struct QuantizedStep<Cell::kGru, 0> : OfGates<3> {
  template <int N, class X, class L>
  SLUICEGATE_INLINE static void finish(const Gates& g, const Place& at, Index unit, Float (&sum)[3][N], X&& x,
                                       L lanes) {
    auto& [r, z, n] = sum;
    SLUICEGATE_EACH(N) r[i] = add(x(0, i), r[i]);
    SLUICEGATE_EACH(N) z[i] = add(x(1, i), z[i]);
    exact_sigmoid(r);
    exact_sigmoid(z);
    SLUICEGATE_EACH(N) {
      const Float product = add(n[i], load(g.hidden_bias + unit + i * kWidth));
      n[i] = add(x(2, i), multiply(r[i], product));
    }
    exact_activate(n, g.relu);
    SLUICEGATE_EACH(N) {
      const Index u = unit + i * kWidth;
      put_state(at, u, exact_mix(z[i], n[i], load(at.h + u, lanes)), lanes);
    }
  }
};

template <>
struct QuantizedStep<Cell::kGruBefore, 0> : OfGates<2> {
  template <int N, class X, class L>
  SLUICEGATE_INLINE static void finish(const Gates&, const Place& at, Index unit, Float (&sum)[2][N], X&& x,
                                       L lanes) {
    auto& [r, z] = sum;
    SLUICEGATE_EACH(N) r[i] = add(x(0, i), r[i]);
    SLUICEGATE_EACH(N) z[i] = add(x(1, i), z[i]);
    exact_sigmoid(r);
    exact_sigmoid(z);
    SLUICEGATE_EACH(N) {
      const Index u = unit + i * kWidth;
      store(at.gated + u, multiply(r[i], load(at.h + u, lanes)), lanes);
      store(at.update + u, z[i], lanes);
    }
  }
};

template <>
struct QuantizedStep<Cell::kGruBefore, 1> : OfGates<1> {
  template <int N, class X, class L>
  SLUICEGATE_INLINE static void finish(const Gates& g, const Place& at, Index unit, Float (&sum)[1][N], X&& x,
                                       L lanes) {
    auto& [n] = sum;
    SLUICEGATE_EACH(N) n[i] = add(x(2, i), n[i]);
    exact_activate(n, g.relu);
    SLUICEGATE_EACH(N) {
      const Index u = unit + i * kWidth;
      put_state(at, u, exact_mix(load(at.update + u, lanes), n[i], load(at.h + u, lanes)), lanes);
    }
  }
};

template <>
struct QuantizedStep<Cell::kLstm, 0> : OfGates<4> {
  template <int N, class X, class L>
  SLUICEGATE_INLINE static void finish(const Gates& g, const Place& at, Index unit, Float (&sum)[4][N], X&& x,
                                       L lanes) {
    auto& [i_, f, candidate, o] = sum;
    SLUICEGATE_EACH(N) i_[i] = add(x(0, i), i_[i]);
    SLUICEGATE_EACH(N) f[i] = add(x(1, i), f[i]);
    SLUICEGATE_EACH(N) candidate[i] = add(x(2, i), candidate[i]);
    SLUICEGATE_EACH(N) o[i] = add(x(3, i), o[i]);
    exact_sigmoid(i_);
    exact_sigmoid(f);
    exact_activate(candidate, g.relu);
    exact_sigmoid(o);
    Float shown[N];
    SLUICEGATE_EACH(N) {
      const Index u = unit + i * kWidth;
      shown[i] = add(multiply(f[i], load(at.c + u, lanes)), multiply(i_[i], candidate[i]));
      store(at.c + u, shown[i], lanes);
    }
    exact_activate(shown, g.relu);
    SLUICEGATE_EACH(N) put_state(at, unit + i * kWidth, multiply(o[i], shown[i]), lanes);
  }
};

template <>
struct QuantizedStep<Cell::kRnn, 0> : OfGates<1> {
  template <int N, class X, class L>
  SLUICEGATE_INLINE static void finish(const Gates& g, const Place& at, Index unit, Float (&sum)[1][N], X&& x,
                                       L lanes) {
    auto& [h] = sum;
    SLUICEGATE_EACH(N) h[i] = add(x(0, i), h[i]);
    exact_activate(h, g.relu);
    SLUICEGATE_EACH(N) put_state(at, unit + i * kWidth, h[i], lanes);
  }
};

template <>
struct QuantizedStep<Cell::kLiGru, 0> : OfGates<2> {
  template <int N, class X, class L>
  SLUICEGATE_INLINE static void finish(const Gates& g, const Place& at, Index unit, Float (&sum)[2][N], X&& x,
                                       L lanes) {
    auto& [z, n] = sum;
    SLUICEGATE_EACH(N) z[i] = add(x(0, i), z[i]);
    SLUICEGATE_EACH(N) n[i] = add(x(1, i), n[i]);
    exact_sigmoid(z);
    exact_activate(n, g.relu);
    SLUICEGATE_EACH(N) {
      const Index u = unit + i * kWidth;
      put_state(at, u, exact_mix(z[i], n[i], load(at.h + u, lanes)), lanes);
    }
  }
};

// A MinGRU has no product of the state: all comes with the input's share.
template <class L>
SLUICEGATE_INLINE void finish_mingru(const Place& at, Index unit, Float x_z, Float n, L lanes) {
  Float z[1] = {x_z};
  exact_sigmoid(z);
  const Float kept = multiply(subtract(fill(1.0f), z[0]), load(at.h + unit, lanes));
  put_state(at, unit, add(kept, multiply(z[0], n)), lanes);
}

}  // namespace sluicegate::SLUICEGATE_ISA
