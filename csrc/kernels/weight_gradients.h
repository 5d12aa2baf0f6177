// The gradients of the weights: sums over the rows and steps of a chunk, which need no order of time.
//
// They are added up in the shape of the weights, or transposed, whichever leaves less of the vectors empty,
// and those are spread to the shape of the weights in the end.
#pragma once

#include "kernels/workspace.h"

namespace sluicegate::SLUICEGATE_ISA {

// What a group of rows adds to the gradients of the weights.
struct WeightSums : BackwardGroup {
  using BackwardGroup::BackwardGroup;

  void add_hidden(Index entries, bool fresh) const {
    for (int phase = 0; phase < traits.phases; ++phase) {
      const int first = traits.phase_begin(phase), count = traits.phase[phase].count;
      const float* multiplied = phase == 0 ? shared.states : shared.gated;
      if (transpose_hidden)
        add_transposed(multiplied, shape.hidden, row.recurrent + first, count, entries,
                       shared.transposed_hidden + first * shape.hidden);
      else
        for (int gate = first; gate < first + count; ++gate)
          add_outer(row.of_recurrent[gate], multiplied, hidden, entries, fresh,
                    weights.hidden + gate * shape.hidden * shape.hidden);
    }
  }

  void add_input(Index entries, bool fresh) const {
    if (transpose_input) {
      add_transposed(shared.inputs, shape.input, row.input, shape.gates(), entries, shared.transposed_input);
      return;
    }
    for (int gate = 0; gate < shape.gates(); ++gate)
      add_outer(row.of_input[gate], shared.inputs, input, entries, fresh,
                weights.input + gate * shape.hidden * shape.input);
  }

  // Copies a row, times a factor if there is one, as entry `entry` of `entries`: into panels of columns, or
  // whole.
  static void put_columns(const float* from, const float* factor, const Columns& cut, bool whole, Index entry,
                          Index entries, float* panels) {
    for (Index p = 0; p < cut.panels(); ++p) {
      const int vectors = p < cut.whole ? kColumns : cut.rest;
      float* to = whole ? panels + entry * row_stride(cut.count) + cut.begin(p)
                        : panels + p * kColumns * kWidth * entries + entry * vectors * kWidth;
      for (int v = 0; v < vectors; ++v) {
        const Index left = cut.begin(p) + v * kWidth;
        const int n = static_cast<int>(least(kWidth, cut.count - left));
        Float value = n == kWidth ? load(from + left) : load(from + left, n);
        if (factor) value = multiply(value, n == kWidth ? load(factor + left) : load(factor + left, n));
        store(to + v * kWidth, value);
      }
    }
  }

  void copy_columns(Index from, Index to, Index entries) const {
    Index entry = 0;
    for (Index s = from; s < to; ++s) {
      const Index t = time(s), active = rows.active(t);
      for (Index i = 0; i < active; ++i, ++entry) {
        if (entry < team.begin(entries) || entry >= team.end(entries)) continue;
        if (weights.hidden) {
          const float* before = state_before(t, i);
          put_columns(before, nullptr, hidden, transpose_hidden, entry, entries, shared.states);
          if (traits.phases == 2) {
            const Index kept = shape.saved() * shape.hidden;
            const float* r =
                call.every ? shared.saved + entry * kept : direction.saved + rows.cell(t, i) * kept;
            put_columns(before, r, hidden, transpose_hidden, entry, entries, shared.gated);
          }
        }
        if (weights.input)
          put_columns(rows.at(call.input, t, i), nullptr, input, transpose_input, entry, entries,
                      shared.inputs);
      }
    }
  }

  // target[unit][column] += sum over entries of gradient[entry][part][unit] * panels[entry][column], for this
  // thread's share of the units.
  void add_outer(int part, const float* panels, const Columns& cut, Index entries, bool fresh,
                 float* target) const {
    constexpr int kTile = kRows<kColumns>;
    const Cut tiles(shape.hidden, kTile);
    const float* gradient = shared.gradients + part * shape.hidden;
    for (Index tile = team.begin(tiles.tiles); tile < team.end(tiles.tiles); ++tile) {
      const Index unit = tiles.start(tile);
      // Their rows lie pages apart; close together they are read as fast as the panels are. Always as many as
      // the largest tile has, which the compiler turns into vectors: the rows have room beyond the last unit.
      for (Index e = 0; e < entries; ++e)
        for (int r = 0; r < kTile; ++r) near[e * kTile + r] = gradient[e * gradient_stride + unit + r];
      with_constant<kTile>(tiles.size(tile), [&]<int R>() {
        for (Index p = 0; p < cut.panels(); ++p)
          with_constant<kColumns>(p < cut.whole ? kColumns : cut.rest, [&]<int V>() {
            accumulate_outer<R, V>(near, kTile, panels + p * kColumns * kWidth * entries, V * kWidth, entries,
                                   target + unit * cut.count + cut.begin(p), cut.count,
                                   cut.count - cut.begin(p), fresh);
          });
      });
    }
  }

  // transposed[column][unit] += sum over entries of rows[entry][column] * gradient[entry][unit], the units
  // being those of all `parts` from `first` on.
  void add_transposed(const float* from, Index columns, int first, int parts, Index entries,
                      float* transposed) const {
    const Index units = parts * shape.hidden, panel = kColumns * kWidth, panels = divide_up(units, panel);
    const float* gradient = shared.gradients + first * shape.hidden;
    const Cut tiles(columns, kRows<kColumns>);
    for (Index p = team.begin(panels); p < team.end(panels); ++p) {
      const Index unit = p * panel;
      with_constant<kColumns>(least(kColumns, divide_up(units - unit, kWidth)), [&]<int V>() {
        for (Index tile = 0; tile < tiles.tiles; ++tile)
          with_constant<kRows<kColumns>>(tiles.size(tile), [&]<int R>() {
            const Index column = tiles.start(tile);
            accumulate_outer<R, V>(from + column, row_stride(columns), gradient + unit, gradient_stride,
                                   entries, transposed + column * gradient_stride + unit, gradient_stride,
                                   units - unit);
          });
      });
    }
  }

  void add_bias(Index entries) const {
    constexpr int kVectors = 8;
    const float one = 1.0f;
    const Index units = row.parts * shape.hidden, panel = kVectors * kWidth, panels = divide_up(units, panel);
    for (Index p = team.begin(panels); p < team.end(panels); ++p) {
      const Index unit = p * panel;
      with_constant<kVectors>(least(kVectors, divide_up(units - unit, kWidth)), [&]<int V>() {
        accumulate_outer<1, V>(&one, 0, shared.gradients + unit, gradient_stride, entries, shared.bias + unit,
                               0, units - unit);
      });
    }
  }

  // Adds sums [columns, gradient] to what they are the gradient of, [gates*hidden, columns].
  void spread(const float* sums, Index columns, const int* place, int first, bool fresh,
              float* target) const {
    for (int gate = 0; gate < shape.gates(); ++gate)
      for (Index unit = unit_begin(); unit < unit_end(); ++unit) {
        const float* from = sums + (place[gate] - first) * shape.hidden + unit;
        float* to = target + (gate * shape.hidden + unit) * columns;
        for (Index j = 0; j < columns; ++j) to[j] = (fresh ? 0.0f : to[j]) + from[j * gradient_stride];
      }
  }
};

}  // namespace sluicegate::SLUICEGATE_ISA
