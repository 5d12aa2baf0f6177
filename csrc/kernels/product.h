// Matrix products of rows with packed panels.
//
// A panel holds V vectors of columns for every k, one k after the other, so that it is read from end to end.
// Every element of a result is one chain of fused multiply-adds over k = 0, 1, 2, ..., whatever tile it is
// computed in: that is why the bits of a row do not depend on the rows beside it. What k counts is words of
// the weights' type, and what a multiply-add is that type says: see dot.h.
#pragma once

#include "kernels/panels.h"

namespace sluicegate::SLUICEGATE_ISA {

// Registers that tiles are made for. The largest tiles take most of the compiler's time, three times as much
// under the sanitizers. There and on old processors the small ones do: the lines are the same, and no bit
// depends on the tile.
#ifdef SLUICEGATE_SMALL_TILES
inline constexpr int kTileRegisters = 8;
#else
inline constexpr int kTileRegisters = kRegisters;
#endif

// Accumulators of a tile; what remains of the registers holds a row of a panel and one broadcast number.
inline constexpr int kAccumulators = kTileRegisters * 3 / 4;

// Rows of a tile with V vectors. Six rows of four vectors are as many accumulators as eight rows of three.
template <int V>
inline constexpr int kRows = least(kTileRegisters / 4, kAccumulators / V);

// Panels that a tile of R rows takes at once, so that few rows still fill the pipeline of the multipliers.
// Every panel is one more stream out of the second-level cache: for one row of a GRU eight took 9 % longer
// than four.
template <int R, int V>
inline constexpr int kPanels = R * V * 8 <= 16              ? 8
                               : R * V * 4 <= kAccumulators ? 4
                               : R * V * 2 <= kAccumulators ? 2
                                                            : 1;

// Panels that many tiles of rows take at once: of a single vector, four rows would leave the multipliers
// idle.
template <int V>
inline constexpr int kWide = most(1, kAccumulators / (kRows<V> * V));

// Rows of a panel that are asked for in advance: with 512 units a panel comes from beyond the second-level
// cache, and this makes the product a fifth faster; nearer panels are neither faster nor slower for it.
inline constexpr int kAhead = 16;

// Words that take several steps go through all steps so many at a time: they are in the first cache from the
// second one on. Step after step of one word, the sums would not fit into the registers.
inline constexpr Index kNear = 32;

// Step `Step` of words [begin, end) of the panels, of which `panel` is the first.
template <class W, int Step, int R, int P, int V>
SLUICEGATE_INLINE void accumulate_step(Float (&sums)[R][P * V], const float* const (&a)[R], Index begin,
                                       Index end, const float* panel, Index stride) {
  for (Index k = begin; k < end; ++k) {
    auto row = [&](int r) { return fill(a[r][k * Dot<W>::kSteps + Step]); };
    auto weights = [&](int v) {
      const float* from = panel + v / V * stride + v % V * kWidth;
      if constexpr (P == 1 && Step == 0) __builtin_prefetch(from + kAhead * V * kWidth);
      return Dot<W>::template weights<Step>(from);
    };
    // Beside the sums, the registers hold the weights and one row, or where those are fewer the rows and one
    // vector of weights. Weights that are floats need none: a multiply-add reads them where they lie.
    if constexpr (Dot<W>::kSteps == 1 || P * V <= R) {
      Float b[P * V];
#pragma GCC unroll 32
      for (int v = 0; v < P * V; ++v) b[v] = weights(v);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const Float x = row(r);
#pragma GCC unroll 32
        for (int v = 0; v < P * V; ++v) sums[r][v] = Dot<W>::multiply_add(x, b[v], sums[r][v]);
      }
    } else {
      Float x[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) x[r] = row(r);
#pragma GCC unroll 32
      for (int v = 0; v < P * V; ++v) {
        const Float b = weights(v);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) sums[r][v] = Dot<W>::multiply_add(x[r], b, sums[r][v]);
      }
    }
    panel += V * kWidth;
  }
}

// sums[r][p V + v] += sum over k of a[r][k] * panel p [k][v], for so many words; `stride` lies between the
// panels.
template <class W, int R, int P, int V>
SLUICEGATE_INLINE void accumulate(Float (&sums)[R][P * V], const float* const* rows, const float* panel,
                                  Index stride, Index count) {
  const float* a[R];
  for (int r = 0; r < R; ++r) a[r] = rows[r];
  if constexpr (Dot<W>::kSteps == 1) return accumulate_step<W, 0, R, P, V>(sums, a, 0, count, panel, stride);
  for (Index begin = 0; begin < count; begin += kNear) {
    const Index end = least(count, begin + kNear);
    accumulate_step<W, 0, R, P, V>(sums, a, begin, end, panel, stride);
    if constexpr (Dot<W>::kSteps == 2) accumulate_step<W, 1, R, P, V>(sums, a, begin, end, panel, stride);
    panel += (end - begin) * V * kWidth;
  }
}

// Weights in depth of a panel that are made at once, if only one tile of rows is multiplied with them: so few
// that as many panels as a tile takes stay in the first cache.
inline constexpr Index kPart = 64;

// Floats that panels of so many vectors and so deep are made in.
constexpr Index room_for(int vectors, Index depth) {
  return most(depth * most(vectors, kAccumulators / (kTileRegisters / 4)), most(16, kAccumulators) * kPart) *
         kWidth;
}

// Rows up to which weights are transposed for the product alone: with more, a panel that is made of them
// pays.
inline constexpr int kDirect = 4;

// The same for panels [panel, panel + P) and a tile of R from row `row` of `count` on; the tile of row 0 is
// the first that comes to a panel.
template <int R, int P, int V, class W>
SLUICEGATE_INLINE void accumulate(Float (&sums)[R][P * V], const float* const* rows, Index row, Index count,
                                  const Panels<W>& panels, Index panel, Index depth) {
  if constexpr (R <= kDirect && Dot<W>::kDepth == 1)
    if (!panels.laid_out && R == count && panels.lanes == kWidth) {
      const Gates& g = panels.gates;
      const float *a[R], *first[P * V + 1];
      for (int r = 0; r < R; ++r) a[r] = rows[row + r];
      for (int n = 0; n <= P * V; ++n)
        first[n] =
            g.weights + ((g.first + n % V) * g.hidden + panels.unit + (panel + n / V) * kWidth) * depth;
      accumulate_transposed<R, P * V>(sums, a, first, depth);
      return;
    }
  const Index part = panels.laid_out || R < count ? depth : kPart;
  Index begin = 0;
  do {
    const Index end = least(depth, begin + part), count_ = words<W>(end - begin),
                stride = count_ * V * kWidth;
    const float *from = panels.room, *a[R];
    if (panels.laid_out)
      from = panels.laid_out + panel * stride;
    else if (row == 0)
      for (int p = 0; p < P; ++p)
        pack_panel<W>(panels.gates, panels.unit + (panel + p) * kWidth, panels.lanes, V, begin, end,
                      panels.room + p * stride);
    for (int r = 0; r < R; ++r) a[r] = rows[row + r] + row_words<W>(begin);
    accumulate<W, R, P, V>(sums, a, from, stride, count_);
    begin = end;
  } while (begin < depth);
}

// How `rows` are cut into tiles of at most `most` rows, as even as can be.
struct Cut {
  Index tiles, base, longer;  // the first `longer` tiles have base + 1 rows
  Cut(Index rows, Index most)
      : tiles(divide_up(rows, most)), base(tiles ? rows / tiles : 0), longer(tiles ? rows % tiles : 0) {}
  Index start(Index tile) const { return tile * base + least(tile, longer); }
  Index size(Index tile) const { return base + (tile < longer); }
};

// Calls f with the constant n, of at least `Least`, as a template argument: f.template operator()<n>().
template <int Most, int Least = 1, class F>
SLUICEGATE_INLINE void with_constant(Index n, F&& f) {
  if constexpr (Most >= Least) {
    if (n == Most)
      f.template operator()<Most>();
    else
      with_constant<Most - 1, Least>(n, f);
  }
}

// Visits every tile of `rows` rows and the panels [begin, end), as f<R, P>(first row, first panel), panel by
// panel: a panel is read by all rows while it is near. `backwards` turns the order of the panels round, so
// that of weights too large for a cache the part used last is the part used next.
template <int V, class F>
SLUICEGATE_INLINE void for_each_tile(Index rows, Index begin, Index end, bool backwards, F&& f) {
  const Cut cut(rows, kRows<V>);
  if (cut.tiles == 1) {
    with_constant<kRows<V>>(rows, [&]<int R>() {
      constexpr int P = kPanels<R, V>;
      const Index whole = (end - begin) / P;
      auto rest = [&] {
        Index panel = begin + whole * P;
        if constexpr (P > 4)
          if (end - panel >= 4) f.template operator()<R, 4>(0, panel), panel += 4;
        if constexpr (P > 2)
          if (end - panel >= 2) f.template operator()<R, 2>(0, panel), panel += 2;
        if constexpr (P > 1)
          if (end - panel >= 1) f.template operator()<R, 1>(0, panel);
      };
      if (backwards) rest();
      for (Index i = 0; i < whole; ++i)
        f.template operator()<R, P>(0, begin + P * (backwards ? whole - 1 - i : i));
      if (!backwards) rest();
    });
    return;
  }
  constexpr int kFewest = (kRows<V> + 1) / 2;  // rows of a tile, of two or more as even as can be
  auto over = [&]<int P>(Index panel) {
    for (Index tile = 0; tile < cut.tiles; ++tile)
      with_constant<kRows<V>, kFewest>(cut.size(tile),
                                       [&]<int R>() { f.template operator()<R, P>(cut.start(tile), panel); });
  };
  constexpr int P = kWide<V>;
  const Index whole = P == 1 ? end : begin + (end - begin) / P * P;
  auto rest = [&] {
    for (Index i = whole; i < end; ++i) over.template operator()<1>(i);
  };
  if (P > 1 && backwards) rest();
  for (Index i = begin; i < whole; i += P)
    over.template operator()<P>(backwards ? whole - P - (i - begin) : i);
  if (P > 1 && !backwards) rest();
}

// out[r][place + column] = start + rows · panels, for panels [begin, end) of V vectors. The sums start with
// the bias, where there is one, else with zero if they are `fresh`, else with what was there. The last panel
// may hold fewer columns than its vectors have room for: `columns` counts those of all panels.
template <int V, class W>
inline void product(Index rows, const float* const* a, const Panels<W>& panels, Index depth, Index begin,
                    Index end, bool backwards, bool fresh, const float* bias, float* const* out, Index place,
                    Index columns) {
  for_each_tile<V>(rows, begin, end, backwards, [&]<int R, int P>(Index row, Index panel) {
    Float sums[R][P * V];
    const Index left = panel * V * kWidth;
    const bool full = left + P * V * kWidth <= columns;
    auto count = [&](int v) { return static_cast<int>(most(0, least(kWidth, columns - left - v * kWidth))); };
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 32
      for (int v = 0; v < P * V; ++v) {
        const float* target = out[row + r] + place + left + v * kWidth;
        sums[r][v] = bias    ? load(bias + left + v * kWidth)
                     : fresh ? fill(0.0f)
                     : full  ? load(target)
                             : load(target, count(v));
      }
    accumulate<R, P, V>(sums, a, row, rows, panels, panel, depth);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 32
      for (int v = 0; v < P * V; ++v) {
        float* target = out[row + r] + place + left + v * kWidth;
        if (full)
          store(target, sums[r][v]);
        else
          store(target, sums[r][v], count(v));
      }
  });
}

// target[m][n] += sum over k of a[k][m] * b[k][n], for a tile of R rows and V vectors of which `columns` are
// there: a sum over the rows of a batch, as the gradient of a weight is. What was in a `fresh` target counts
// as zero.
template <int R, int V>
inline void accumulate_outer(const float* a, Index a_stride, const float* b, Index b_stride, Index depth,
                             float* target, Index target_stride, Index columns, bool fresh = false) {
  Float sums[R][V];
  const bool full = V * kWidth <= columns;
  auto count = [&](int v) { return static_cast<int>(most(0, least(kWidth, columns - v * kWidth))); };
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const float* from = target + r * target_stride + v * kWidth;
      sums[r][v] = fresh ? fill(0.0f) : full ? load(from) : load(from, count(v));
    }
  for (Index k = 0; k < depth; ++k) {
    Float row[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) row[v] = load(b + v * kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Float x = fill(a[r]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[r][v] = multiply_add(x, row[v], sums[r][v]);
    }
    a += a_stride;
    b += b_stride;
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      float* to = target + r * target_stride + v * kWidth;
      if (full)
        store(to, sums[r][v]);
      else
        store(to, sums[r][v], count(v));
    }
}

}  // namespace sluicegate::SLUICEGATE_ISA
