// What a cell does with the sums of its gates: the steps forward, tile by tile, while they are in registers.
#pragma once

#include "kernels/activations.h"
#include "kernels/layout.h"

namespace sluicegate::SLUICEGATE_ISA {

// The rows of a batch that are computed together, at most.
inline constexpr Index kGroup = 64;

// Vectors whose gates are computed together. Four are enough to hide how long an operation takes, and stay in
// the registers: with all eight of a tile the gates took a fifth longer.
inline constexpr int kTogether = 4;

// One step of some rows. Pointers lead to unit 0 of a row.
struct Step {
  Index rows;
  Index hidden;
  Index kinds;  // numbers that training keeps for a unit
  bool relu;
  const float* product_bias;  // by unit
  const float* sums[kGroup];  // the input's share, of the gates of this set
  const float*
      candidate[kGroup];  // GRU: the last vector of `sums`, the candidate's share of the units that remain
  const float* multiplied[kGroup];  // what the recurrent weights multiply, as they take it
  const float* before[kGroup];      // h before
  float* after[kGroup];             // h after
  float* cell_state[kGroup];        // LSTM: c, before and after
  float* gated[kGroup];             // GRU with the reset before: r * h, and beside it z
  float* update[kGroup];
  float* output[kGroup];  // h again where the caller wants it, or null
  float* saved[kGroup];   // what training keeps, or null
};

// Where a vector of a tile lies.
struct Place {
  Index row, unit;
  const float* candidate;  // GRU: the candidate's share of the input
};

template <class L>
SLUICEGATE_INLINE void put_state(const Step& s, const Place& at, Float h, L lanes) {
  store(s.after[at.row] + at.unit, h, lanes);
  if (s.output[at.row]) store(s.output[at.row] + at.unit, h, lanes);
}

template <class L>
SLUICEGATE_INLINE void save(const Step& s, const Place& at, int kind, Float value, L lanes) {
  store(s.saved[at.row] + kind * s.hidden + at.unit, value, lanes);
}

// h' = (1 - z) n + z h, which is h to the bit where z is 1.
SLUICEGATE_INLINE Float mix(Float z, Float n, Float h) {
  return multiply_add(z, h, multiply_subtract_from(z, n, n));
}

// A step of a cell, or its derivative: that of one of its phases.
template <Cell cell, int phase = 0>
struct Of {
  static constexpr Cell kCell = cell;
  static constexpr int kPhase = phase;
  static constexpr int kGates = kCells[static_cast<int>(cell)].phase[phase].count;
  static constexpr bool kApart = kCells[static_cast<int>(cell)].apart;
};

// Those of all cells.
template <class... All>
struct Steps {
  // Calls f with that of a cell's phase: f.template operator()<C>().
  template <class F>
  SLUICEGATE_INLINE static void with(Cell cell, int phase, F&& f) {
    ((All::kCell == cell && All::kPhase == phase ? f.template operator()<All>() : void()), ...);
  }
};

// Each takes the sums of its gates for N vectors of units, gate by gate.

struct GruStep : Of<Cell::kGru> {
  template <int N, class L>
  SLUICEGATE_INLINE static void finish(const Step& s, const Place (&at)[N], Float (&sum)[3][N], L lanes) {
    auto& [r, z, q] = sum;
    Float n[N], h[N];
    sigmoid(r);
    SLUICEGATE_EACH(N) n[i] = multiply_add(r[i], q[i], load(at[i].candidate, lanes));
    sigmoid(z);
    activate(n, s.relu);
    SLUICEGATE_EACH(N) h[i] = mix(z[i], n[i], load(s.before[at[i].row] + at[i].unit, lanes));
    SLUICEGATE_EACH(N) put_state(s, at[i], h[i], lanes);
    if (s.saved[at[0].row] == nullptr) return;
    SLUICEGATE_EACH(N) {
      save(s, at[i], 0, r[i], lanes);
      save(s, at[i], 1, z[i], lanes);
      save(s, at[i], 2, n[i], lanes);
      save(s, at[i], 3, q[i], lanes);
      save(s, at[i], 4, h[i], lanes);
    }
  }
};

struct GruGates : Of<Cell::kGruBefore, 0> {  // of a GRU with the reset before
  template <int N, class L>
  SLUICEGATE_INLINE static void finish(const Step& s, const Place (&at)[N], Float (&sum)[2][N], L lanes) {
    auto& [r, z] = sum;
    sigmoid(r);
    sigmoid(z);
    SLUICEGATE_EACH(N) {
      const Float h = load(s.before[at[i].row] + at[i].unit, lanes);
      store(s.gated[at[i].row] + at[i].unit, multiply(r[i], h), lanes);
      store(s.update[at[i].row] + at[i].unit, z[i], lanes);
    }
    if (s.saved[at[0].row] == nullptr) return;
    SLUICEGATE_EACH(N) {
      save(s, at[i], 0, r[i], lanes);
      save(s, at[i], 1, z[i], lanes);
    }
  }
};

struct GruCandidate : Of<Cell::kGruBefore, 1> {  // of a GRU with the reset before
  template <int N, class L>
  SLUICEGATE_INLINE static void finish(const Step& s, const Place (&at)[N], Float (&sum)[1][N], L lanes) {
    auto& [n] = sum;
    activate(n, s.relu);
    SLUICEGATE_EACH(N) {
      const Float z = load(s.update[at[i].row] + at[i].unit, lanes);
      const Float h = mix(z, n[i], load(s.before[at[i].row] + at[i].unit, lanes));
      put_state(s, at[i], h, lanes);
      if (s.saved[at[i].row] == nullptr) continue;
      save(s, at[i], 2, n[i], lanes);
      save(s, at[i], 3, h, lanes);
    }
  }
};

struct LstmStep : Of<Cell::kLstm> {
  template <int N, class L>
  SLUICEGATE_INLINE static void finish(const Step& s, const Place (&at)[N], Float (&sum)[4][N], L lanes) {
    auto& [i_, f, g, o] = sum;
    Float c[N], shown[N];
    sigmoid(f);
    sigmoid(i_);
    activate(g, s.relu);
    SLUICEGATE_EACH(N) {
      c[i] = multiply_add(f[i], load(s.cell_state[at[i].row] + at[i].unit, lanes), multiply(i_[i], g[i]));
      store(s.cell_state[at[i].row] + at[i].unit, c[i], lanes);
      shown[i] = c[i];
    }
    sigmoid(o);
    activate(shown, s.relu);
    SLUICEGATE_EACH(N) put_state(s, at[i], multiply(o[i], shown[i]), lanes);
    if (s.saved[at[0].row] == nullptr) return;
    SLUICEGATE_EACH(N) {
      save(s, at[i], 0, i_[i], lanes);
      save(s, at[i], 1, f[i], lanes);
      save(s, at[i], 2, g[i], lanes);
      save(s, at[i], 3, o[i], lanes);
      save(s, at[i], 4, c[i], lanes);
    }
  }
};

struct RnnStep : Of<Cell::kRnn> {
  template <int N, class L>
  SLUICEGATE_INLINE static void finish(const Step& s, const Place (&at)[N], Float (&sum)[1][N], L lanes) {
    auto& [h] = sum;
    activate(h, s.relu);
    SLUICEGATE_EACH(N) put_state(s, at[i], h[i], lanes);
    if (s.saved[at[0].row] == nullptr) return;
    SLUICEGATE_EACH(N) save(s, at[i], 0, h[i], lanes);
  }
};

struct LiGruStep : Of<Cell::kLiGru> {
  template <int N, class L>
  SLUICEGATE_INLINE static void finish(const Step& s, const Place (&at)[N], Float (&sum)[2][N], L lanes) {
    auto& [z, n] = sum;
    Float h[N];
    sigmoid(z);
    activate(n, s.relu);
    SLUICEGATE_EACH(N) h[i] = mix(z[i], n[i], load(s.before[at[i].row] + at[i].unit, lanes));
    SLUICEGATE_EACH(N) put_state(s, at[i], h[i], lanes);
    if (s.saved[at[0].row] == nullptr) return;
    SLUICEGATE_EACH(N) {
      save(s, at[i], 0, z[i], lanes);
      save(s, at[i], 1, n[i], lanes);
      save(s, at[i], 2, h[i], lanes);
    }
  }
};

using AllSteps = Steps<GruStep, GruGates, GruCandidate, LstmStep, RnnStep, LiGruStep>;

// The gates of a tile from vector `First` on, kTogether at a time.
template <class C, int First, int R, int PV>
SLUICEGATE_INLINE void finish_tile(const Step& s, Index row, Index block, Float (&sums)[R][PV]) {
  constexpr int V = C::kGates, P = PV / V, kLeft = R * P - First, N = kLeft < kTogether ? kLeft : kTogether;
  Float sum[V][N];
  Place at[N];
  SLUICEGATE_EACH(N) {
    const int r = (First + i) / P, p = (First + i) % P;
    at[i] = {row + r, (block + p) * kWidth, s.sums[row + r] + ((block + p) * V + V - 1) * kWidth};
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[v][i] = sums[r][p * V + v];
  }
  C::finish(s, at, sum, All{});
  if constexpr (N < kLeft) finish_tile<C, First + N>(s, row, block, sums);
}

// The recurrent product and the gates for whole blocks of units [begin, end).
template <class C, class W>
inline void step_blocks(const Step& s, const Panels<W>& panels, Index begin, Index end, bool backwards) {
  constexpr int V = C::kGates;
  for_each_tile<V>(s.rows, begin, end, backwards, [&]<int R, int P>(Index row, Index block) {
    // What is kept goes to memory that is far away: it has the time of the product to come near.
    if (s.saved[row])
      for (int r = 0; r < R; ++r)
        for (Index kind = 0; kind < s.kinds; ++kind)
          for (int p = 0; p < P; ++p)
            __builtin_prefetch(s.saved[row + r] + kind * s.hidden + (block + p) * kWidth, 1);
    Float sums[R][P * V];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          const bool apart = C::kApart && v == V - 1;
          sums[r][p * V + v] = load(apart ? s.product_bias + (block + p) * kWidth
                                          : s.sums[row + r] + ((block + p) * V + v) * kWidth);
        }
    accumulate<R, P, V>(sums, s.multiplied, row, s.rows, panels, block, s.hidden);
    finish_tile<C, 0>(s, row, block, sums);
  });
}

// The same for the units that remain, whose gates share V vectors.
template <class C, int V, class W>
inline void step_rest_with(const Step& s, const GateSet& g, const Panels<W>& panel) {
  for_each_tile<V>(s.rows, 0, 1, false, [&]<int R, int P>(Index row, Index) {
    if constexpr (P == 1) {
      Float sums[R][V];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) sums[r][v] = load(s.sums[row + r] + g.rest_begin() + v * kWidth);
      accumulate<R, 1, V>(sums, s.multiplied, row, s.rows, panel, 0, s.hidden);
      float lanes[R][(V + 1) * kWidth];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) store(lanes[r] + v * kWidth, sums[r][v]);
      Float sum[C::kGates][R];
      Place at[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        at[r] = {row + r, g.blocks * kWidth, s.candidate[row + r]};
#pragma GCC unroll 4
        for (int gate = 0; gate < C::kGates; ++gate) sum[gate][r] = load(lanes[r] + gate * g.rest, g.rest);
      }
      C::finish(s, at, sum, g.rest);
    }
  });
}

// One step of the panels [begin, end) of a set of gates, the last of which may be that of the rest.
template <class C, class W>
inline void step(const Step& s, const GateSet& g, const Panels<W>& blocks, const Panels<W>& of_rest,
                 Index begin, Index end, bool backwards) {
  const bool rest = g.rest && end == g.panels();
  auto step_rest = [&] {
    if (!rest) return;
    with_constant<C::kGates>(g.rest_vectors, [&]<int V>() { step_rest_with<C, V>(s, g, of_rest); });
  };
  if (backwards) step_rest();
  step_blocks<C>(s, blocks, begin, least(end, g.blocks), backwards);
  if (!backwards) step_rest();
}

}  // namespace sluicegate::SLUICEGATE_ISA
