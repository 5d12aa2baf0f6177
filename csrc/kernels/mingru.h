// A MinGRU over a chunk of its steps, forward and backward.
//
// Its gates see the input alone, so that they need not wait for the state: they are computed for as many
// steps at once as fill a tile, and while they are in registers the state passes through them, from the first
// step of a row to the last, or its gradient from the last to the first. Nothing but h is ever kept: the
// backward pass recomputes the gates, which takes less time than to write them down, fetch them, and have the
// system find memory for them.
#pragma once

#include "kernels/cells.h"
#include "kernels/layout.h"

namespace sluicegate::SLUICEGATE_ISA {

// What the state meets at one step of one row. Pointers lead to unit 0.
struct Meeting {
  float* state;         // h before, then after; in the backward pass its gradient, after, then before
  float* output;        // forward: h again where the caller wants it, or null
  const float* before;  // the rest is for the backward pass. h before
  const float* output_gradient;  // or null
  float* gradient;               // of the gates, a row as GradientRow has it
};

// h' = (1 - z) h + z n, which is h to the bit where z is 0. So written, the state waits for one operation a
// step.
struct MinGruStep {
  const Meeting* at;

  // Memory that is far away has the time of the product to come near.
  SLUICEGATE_INLINE void fetch(Index entry, Index unit) const {
    if (at[entry].output) __builtin_prefetch(at[entry].output + unit, 1);
  }

  template <int N, class L>
  SLUICEGATE_INLINE void operator()(const Index (&entry)[N], const Index (&unit)[N], const Float (&z)[N],
                                    const Float (&n)[N], L lanes) const {
    SLUICEGATE_EACH(N) {
      const Meeting& m = at[entry[i]];
      const Float kept = subtract(fill(1.0f), z[i]);
      const Float h = multiply_add(kept, load(m.state + unit[i], lanes), multiply(z[i], n[i]));
      store(m.state + unit[i], h, lanes);
      if (m.output) store(m.output + unit[i], h, lanes);
    }
  }
};

struct MinGruBack {
  const Meeting* at;
  Index hidden;

  SLUICEGATE_INLINE void fetch(Index entry, Index unit) const {
    if (at[entry].output_gradient) __builtin_prefetch(at[entry].output_gradient + unit);
    __builtin_prefetch(at[entry].before + unit);
  }

  template <int N, class L>
  SLUICEGATE_INLINE void operator()(const Index (&entry)[N], const Index (&unit)[N], const Float (&z)[N],
                                    const Float (&n)[N], L lanes) const {
    SLUICEGATE_EACH(N) {
      const Meeting& m = at[entry[i]];
      Float dh = load(m.state + unit[i], lanes);
      if (m.output_gradient) dh = add(dh, load(m.output_gradient + unit[i], lanes));
      const Float h = load(m.before + unit[i], lanes);
      store(m.gradient + unit[i], through_sigmoid(multiply(dh, subtract(n[i], h)), z[i]), lanes);
      store(m.gradient + hidden + unit[i], multiply(dh, z[i]), lanes);
      store(m.state + unit[i], multiply(dh, subtract(fill(1.0f), z[i])), lanes);
    }
  }
};

// The gates of a tile from vector `First` on, kTogether at a time. Of vectors of the same units, that of the
// earlier row comes first, as the state has to pass.
template <int First, int R, int PV, class F>
SLUICEGATE_INLINE void meet_tile(Index row, Index block, const Float (&sums)[R][PV], const F& meet) {
  constexpr int P = PV / 2, kLeft = R * P - First, N = kLeft < kTogether ? kLeft : kTogether;
  Index entry[N], unit[N];
  Float z[N], n[N];
  SLUICEGATE_EACH(N) {
    const int r = (First + i) / P, p = (First + i) % P;
    entry[i] = row + r;
    unit[i] = (block + p) * kWidth;
    z[i] = sums[r][2 * p];
    n[i] = sums[r][2 * p + 1];
  }
  sigmoid(z);
  meet(entry, unit, z, n, All{});
  if constexpr (N < kLeft) meet_tile<First + N>(row, block, sums, meet);
}

// The gates of the units that remain, which share V vectors.
template <class W, int V, class F>
inline void meet_rest(Index entries, const float* const* inputs, Index depth, const GateSet& g,
                      const float* panel, const float* bias, const F& meet) {
  for_each_tile<V>(entries, 0, 1, false, [&]<int R, int P>(Index row, Index) {
    if constexpr (P == 1) {
      Float sums[R][V];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) sums[r][v] = load(bias + v * kWidth);
      accumulate<W, R, 1, V>(sums, inputs + row, panel, 0, words<W>(depth));
      float lanes[R][(V + 1) * kWidth];
      Index entry[R], unit[R];
      Float z[R], n[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) store(lanes[r] + v * kWidth, sums[r][v]);
        entry[r] = row + r;
        unit[r] = g.blocks * kWidth;
        z[r] = load(lanes[r], g.rest);
        n[r] = load(lanes[r] + g.rest, g.rest);
      }
      sigmoid(z);
      meet(entry, unit, z, n, g.rest);
    }
  });
}

// The gates of `entries` inputs for the panels [begin, end), the last of which may be that of the rest, and
// the state's way through them in the order in which the entries stand.
template <class W, class F>
inline void meet_gates(Index entries, const float* const* inputs, const Layout& layout,
                       const float* all_panels, Index begin, Index end, const F& meet) {
  const GateSet& g = layout.set[0];
  const Index depth = layout.shape.input, count = words<W>(depth), stride = count * 2 * kWidth;
  const float *panels = all_panels + g.input, *bias = all_panels + g.bias;
  for_each_tile<2>(entries, begin, least(end, g.blocks), false, [&]<int R, int P>(Index row, Index block) {
    for (int r = 0; r < R; ++r)
      for (int p = 0; p < P; ++p) meet.fetch(row + r, (block + p) * kWidth);
    Float sums[R][2 * P];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
      for (int v = 0; v < 2 * P; ++v) sums[r][v] = load(bias + (block * 2 + v) * kWidth);
    accumulate<W, R, P, 2>(sums, inputs + row, panels + block * stride, stride, count);
    meet_tile<0>(row, block, sums, meet);
  });
  if (g.rest && end == g.panels())
    with_constant<2>(g.rest_vectors, [&]<int V>() {
      meet_rest<W, V>(entries, inputs, depth, g, panels + count * g.rest_begin(), bias + g.rest_begin(),
                      meet);
    });
}

}  // namespace sluicegate::SLUICEGATE_ISA
