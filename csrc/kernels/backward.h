// The backward pass of a group of rows over its steps, from the last to the first.
//
// A chunk of steps is gone through one by one for the gradients of the gates, which need the one product that
// depends on time: the gradients of a step's gates with the recurrent weights. They are kept for the chunk,
// and the rest is done for all of it at once: the gradient of the input, and those of the weights.
#pragma once

#include "kernels/forward.h"
#include "kernels/gradients.h"

namespace sluicegate::SLUICEGATE_ISA {

// Where the gradients of the weights are added up, in the shape of the weights; null where not wanted.
struct WeightGradients {
  float* input;
  float* hidden;
  float* input_bias;
  float* hidden_bias;
};

struct Backward {
  // Twice as many as in the forward pass, since the gradients of the weights are read and written for every
  // chunk.
  static constexpr Index kRowsTogether = 2 * kChunkRows;

  const Call& call;
  const Shape& shape;
  const Direction& direction;
  const Rows rows;
  const Team team;
  const WeightGradients weights;
  const Index chunk;
  const BackwardLayout layout;
  const Layout forward_layout;
  const GradientRow row;
  const Columns hidden, input;
  const bool transpose_hidden, transpose_input;
  const Index stride, gradient_stride;

  // Working memory. The first part is shared by the team, the second is this thread's own.
  struct Shared {
    float* state;              // [row, stride], the gradient of h
    float* cell_state;         // [row, stride], the gradient of c
    float* product;            // [row, stride], GRU with the reset before: the gradient of r * h
    float* zeros;              // [stride]
    float* gradients;          // [chunk rows, gradient_stride], of the gates
    float* states;             // h before of the chunk's rows: in panels of columns; transposed, row by row
    float* gated;              // GRU with the reset before: r * h, likewise
    float* inputs;             // x of the chunk's rows, likewise
    float* bias;               // [gradient], the gradients of the gates added up
    float* transposed_hidden;  // [hidden, gradient], the transposed gradient of the recurrent weights
    float* transposed_input;   // [input, gradient], likewise
    Index sums;                // floats of these three, which follow each other
    float* saved;              // with `every`: what the forward pass of the chunk keeps when it is recomputed
    float* forward;            // with `every`: for that pass

    // Takes what it needs of the memory, or of none only counts it.
    Shared(const Call& c, Index rows, Index chunk, Memory& memory_) {
      const Shape& s = c.shape;
      const Index entries = rows * chunk, wide = row_stride(s.hidden);
      const Index gradient = row_stride(gradient_row(s.cell).parts * s.hidden);
      const Index recurrent = s.recurrent() ? s.hidden : 0;
      const bool transpose_hidden = transposes(c, recurrent), transpose_input = transposes(c, s.input);
      auto columns = [&](Index n, bool turn) {
        return turn ? entries * row_stride(n) : Columns(n).floats(entries);
      };
      state = memory_.take(rows * wide);
      cell_state = memory_.take(rows * wide);
      product = memory_.take(rows * wide);
      zeros = memory_.take(wide);
      gradients = memory_.take(entries * gradient);
      states = memory_.take(columns(recurrent, transpose_hidden));
      gated = memory_.take(s.cell == Cell::kGruBefore ? columns(s.hidden, transpose_hidden) : 0);
      inputs = memory_.take(columns(s.input, transpose_input));
      const Index before = memory_.taken();
      bias = memory_.take(gradient);
      transposed_hidden = memory_.take(transpose_hidden ? s.hidden * gradient : 0);
      transposed_input = memory_.take(transpose_input ? s.input * gradient : 0);
      sums = memory_.taken() - before;
      const bool recompute = c.every && s.recurrent();
      saved = memory_.take(recompute ? entries * s.saved() * s.hidden : 0);
      forward = memory_.take(recompute ? Forward::shared_floats(s, rows) : 0);
    }
    static Index floats(const Call& c, Index rows, Index chunk) {
      Memory counted;
      Shared(c, rows, chunk, counted);
      return counted.taken();
    }
  };
  const Shared& shared;
  Memory& own;
  const float** sources;
  float** targets;
  float* near;        // [chunk rows, kRows<kColumns>]
  Meeting* meetings;  // MinGRU

  // Whether the gradient of weights with so many columns is better added up transposed, as [columns,
  // gates*hidden]: for 50 or for few columns less of the vectors is empty then. It is transposed back in the
  // end, which is worth it for some hundred rows.
  static bool transposes(const Call& c, Index columns) {
    const Index units = c.shape.gates() * c.shape.hidden;
    return c.sequences.steps * c.sequences.batch >= 512 &&
           10 * columns * divide_up(units, kWidth) < 9 * divide_up(columns, kWidth) * units;
  }

  static Index chunk_of(const Call& c, const Rows& r) {
    return c.every ? least(c.every, most(1, c.sequences.steps)) : r.chunk(kRowsTogether);
  }
  static Index own_floats(const Call& c, Index rows, Index chunk) {
    return 2 * Forward::pointers(rows * chunk) + Scratch::padded(rows * chunk * kRows<kColumns>) +
           (c.shape.recurrent() ? 0 : Forward::meetings_of(rows * chunk)) +
           (c.every && c.shape.recurrent() ? Forward::own_floats(c.shape, rows, chunk, true) : 0);
  }

  Backward(const Call& c, const Direction& d, const Rows& r, Team t, const WeightGradients& w, Index chunk_,
           const Shared& shared_, Memory& own_)
      : call(c),
        shape(c.shape),
        direction(d),
        rows(r),
        team(t),
        weights(w),
        chunk(chunk_),
        layout(c.shape),
        forward_layout(c.shape),
        row(gradient_row(c.shape.cell)),
        hidden(c.shape.hidden),
        input(c.shape.input),
        transpose_hidden(transposes(c, c.shape.recurrent() ? c.shape.hidden : 0)),
        transpose_input(transposes(c, c.shape.input)),
        stride(row_stride(c.shape.hidden)),
        gradient_stride(row_stride(row.parts * c.shape.hidden)),
        shared(shared_),
        own(own_) {
    sources = reinterpret_cast<const float**>(own.take(Forward::pointers(rows.count * chunk)));
    targets = reinterpret_cast<float**>(own.take(Forward::pointers(rows.count * chunk)));
    near = own.take(rows.count * chunk * kRows<kColumns>);
    if (!shape.recurrent())
      meetings = reinterpret_cast<Meeting*>(own.take(Forward::meetings_of(rows.count * chunk)));
  }

  Index panel_begin() const { return team.begin(hidden.panels()); }
  Index panel_end() const { return team.end(hidden.panels()); }
  // The units that this thread writes: of a MinGRU those of its panels in the forward pass.
  Index unit_begin() const {
    return shape.recurrent() ? hidden.begin(panel_begin()) : block_begin() * kWidth;
  }
  Index unit_end() const {
    return shape.recurrent() ? hidden.begin(panel_end()) : least(shape.hidden, block_end() * kWidth);
  }
  Index block_begin() const { return team.begin(divide_up(shape.hidden, kWidth)); }
  Index block_end() const { return team.end(divide_up(shape.hidden, kWidth)); }

  void copy(float* to, const float* from) const {
    for (Index u = unit_begin(); u < unit_end(); ++u) to[u] = from ? from[u] : 0.0f;
  }

  // What was in `fresh` gradients of the weights counts as zero.
  void run(bool fresh) const {
    for (Index i = 0; i < rows.count; ++i) {
      copy(shared.state + i * stride, rows.at(direction.h_n_gradient, shape.hidden, i));
      copy(shared.cell_state + i * stride, rows.at(direction.c_n_gradient, shape.hidden, i));
    }
    copy(shared.zeros, nullptr);
    clear(shared.bias, shared.sums);
    team.wait();
    if (call.every && shape.recurrent()) {
      const Forward forward(call, direction, rows, team, shared.forward, own, chunk);
      run_chunks(&forward, fresh);
    } else {
      run_chunks(nullptr, fresh);
    }
    for (Index i = 0; i < rows.count; ++i) {
      if (direction.h0_gradient)
        copy(rows.at(direction.h0_gradient, shape.hidden, i), shared.state + i * stride);
      if (direction.c0_gradient)
        copy(rows.at(direction.c0_gradient, shape.hidden, i), shared.cell_state + i * stride);
    }
    if (weights.input_bias) spread(shared.bias, 1, row.of_input, 0, fresh, weights.input_bias);
    if (weights.hidden_bias) spread(shared.bias, 1, row.of_recurrent, 0, fresh, weights.hidden_bias);
    if (weights.input && transpose_input)
      spread(shared.transposed_input, shape.input, row.of_input, row.input, fresh, weights.input);
    if (weights.hidden && transpose_hidden)
      spread(shared.transposed_hidden, shape.hidden, row.of_recurrent, row.recurrent, fresh, weights.hidden);
    team.wait();
  }

  Index time(Index s) const { return direction.reverse ? rows.steps() - 1 - s : s; }
  bool is_first(Index t, Index i) const { return direction.reverse ? t == rows.length(i) - 1 : t == 0; }
  Index previous(Index t) const { return direction.reverse ? t + 1 : t - 1; }

  const float* state_before(Index t, Index i) const {
    const float* h =
        is_first(t, i) ? rows.at(direction.h0, shape.hidden, i) : rows.at(direction.output, previous(t), i);
    return h ? h : shared.zeros;
  }

  const float* cell_state_before(Index from, Index s, Index i, Index entry_before) const {
    if (shape.cell != Cell::kLstm) return nullptr;
    const Index t = time(s);
    const float* c;
    if (is_first(t, i))
      c = rows.at(direction.c0, shape.hidden, i);
    else if (!call.every)
      c = direction.saved + (rows.cell(previous(t), i) * 5 + 4) * shape.hidden;
    else if (s == from)
      c = direction.cell_states + ((from / chunk) * rows.sequences.batch + rows.first + i) * shape.hidden;
    else
      c = shared.saved + ((entry_before + i) * 5 + 4) * shape.hidden;
    return c ? c : shared.zeros;
  }

  // With `forward`, what it keeps is recomputed for each chunk.
  void run_chunks(const Forward* forward, bool fresh) const {
    for (Index to = rows.steps(), from; to > 0; to = from) {
      from = (to - 1) / chunk * chunk;
      Index entries = 0;
      for (Index s = from; s < to; ++s) entries += rows.active(time(s));
      if (entries == 0) continue;  // a group of shorter rows than the call's longest
      if (forward) run_forward(*forward, from, to);
      if (shape.recurrent())
        take_steps(from, to, entries);
      else
        pass_backward(from, to, entries);
      finish_chunk(from, to, entries, fresh);
      fresh = false;
      team.wait();
    }
    if (!fresh) return;  // else there was no chunk
    const Index units = shape.gates() * shape.hidden;
    if (weights.input && !transpose_input) clear(weights.input, units * shape.input);
    if (weights.hidden && !transpose_hidden) clear(weights.hidden, units * shape.hidden);
  }

  void clear(float* target, Index count) const {
    for (Index j = team.begin(count); j < team.end(count); ++j) target[j] = 0.0f;
  }

  void take_steps(Index from, Index to, Index entries) const {
    Index entry = entries;
    for (Index s = to - 1; s >= from; --s) {
      const Index t = time(s), active = rows.active(t);
      entry -= active;
      take_step(from, s, t, active, entry);
    }
  }

  // The same of a MinGRU, whose gates do not wait for the gradient of the state: the last step comes first.
  void pass_backward(Index from, Index to, Index entries) const {
    Index entry = entries, last = 0;
    for (Index s = to - 1; s >= from; --s) {
      const Index t = time(s), active = rows.active(t);
      entry -= active;
      for (Index i = 0; i < active; ++i, ++last) {
        sources[last] = rows.at(call.input, t, i);
        meetings[last] = {shared.state + i * stride, nullptr, state_before(t, i),
                          rows.at(direction.output_gradient, t, i),
                          shared.gradients + (entry + i) * gradient_stride};
      }
    }
    meet_gates(entries, sources, forward_layout, direction.panels, block_begin(), block_end(),
               MinGruBack{meetings, shape.hidden});
  }

  // Recomputes the forward pass of the chunk, from the states that the outputs hold.
  void run_forward(const Forward& forward, Index from, Index to) const {
    const Index t = time(from);
    for (Index i = 0; i < rows.count; ++i) {
      const bool begun = i < rows.active(t) && !is_first(t, i);
      const float* h = begun ? state_before(t, i) : rows.at(direction.h0, shape.hidden, i);
      for (float* buffer : forward.state) forward.set(buffer + i * stride, h);
      if (shape.cell == Cell::kLstm)
        forward.set(forward.cell_state + i * stride,
                    begun ? cell_state_before(from, from, i, 0) : rows.at(direction.c0, shape.hidden, i));
    }
    team.wait();
    forward.run(from, to, false, shared.saved);
  }

  void take_step(Index from, Index s, Index t, Index active, Index entry) const {
    const Index kept = shape.saved() * shape.hidden;
    const Index entry_before = s > from ? entry - rows.active(time(s - 1)) : 0;
    auto step_of = [&](Index i) {
      BackStep b;
      b.hidden = shape.hidden;
      b.relu = shape.activation == Activation::kRelu;
      b.output_gradient = rows.at(direction.output_gradient, t, i);
      b.saved = call.every ? shared.saved + (entry + i) * kept : direction.saved + rows.cell(t, i) * kept;
      b.output = rows.at(direction.output, t, i);
      b.before = state_before(t, i);
      b.cell_state_before = cell_state_before(from, s, i, entry_before);
      b.state = shared.state + i * stride;
      b.cell_state = shared.cell_state + i * stride;
      b.gradient = shared.gradients + (entry + i) * gradient_stride;
      b.product = shared.product + i * stride;
      return b;
    };
    for (Index i = 0; i < active; ++i) {
      const BackStep b = step_of(i);
      switch (shape.cell) {
        case Cell::kGru:
          step_backward<GruBack>(b, unit_begin(), unit_end());
          break;
        case Cell::kGruBefore:
          step_backward<GruCandidateBack>(b, unit_begin(), unit_end());
          break;
        case Cell::kLstm:
          step_backward<LstmBack>(b, unit_begin(), unit_end());
          break;
        case Cell::kRnn:
          step_backward<RnnBack>(b, unit_begin(), unit_end());
          break;
        case Cell::kMinGru:  // see `pass_backward`
          break;
      }
      sources[i] = b.gradient + row.recurrent * shape.hidden;
      targets[i] = b.state;
    }
    team.wait();
    const bool backwards = s % 2;
    switch (shape.cell) {
      case Cell::kGru:
        multiply_recurrent<Start::kTarget>(active, layout.recurrent, 0, 3, backwards);
        break;
      case Cell::kGruBefore:
        for (Index i = 0; i < active; ++i) {
          sources[i] += 2 * shape.hidden;
          targets[i] = shared.product + i * stride;
        }
        multiply_recurrent<Start::kZero>(active, layout.candidate, 2, 1, backwards);
        for (Index i = 0; i < active; ++i) {
          step_backward<GruResetBack>(step_of(i), unit_begin(), unit_end());
          sources[i] -= 2 * shape.hidden;
          targets[i] = shared.state + i * stride;
        }
        team.wait();
        multiply_recurrent<Start::kTarget>(active, layout.recurrent, 0, 2, backwards);
        break;
      case Cell::kLstm:
        multiply_recurrent<Start::kZero>(active, layout.recurrent, 0, 4, backwards);
        break;
      case Cell::kRnn:
        multiply_recurrent<Start::kZero>(active, layout.recurrent, 0, 1, backwards);
        break;
      case Cell::kMinGru:
        break;
    }
  }

  // With gates [first, first + gates), whose panels begin at `begin`. The rows have room beyond the last unit
  // for a whole vector: of the panels no column is left out.
  template <Start S>
  void multiply_recurrent(Index active, Index begin, int first, int gates, bool backwards) const {
    if (direction.backward_panels)
      multiply_columns<S>(active, sources, direction.backward_panels + begin, gates * shape.hidden, hidden,
                          panel_begin(), panel_end(), backwards, targets, round_up(shape.hidden, kWidth));
    else
      multiply_weights<S>(active, sources, direction.weights.hidden, shape.hidden, shape.hidden, first, gates,
                          gates == 1 ? kInOrder : row.of_recurrent, unit_begin(), unit_end(), targets);
  }

  void multiply_input(Index entries) const {
    if (direction.backward_panels)
      multiply_columns<Start::kZero>(entries, sources, direction.backward_panels + layout.input,
                                     shape.gates() * shape.hidden, input, 0, input.panels(), false, targets,
                                     shape.input);
    else
      multiply_weights<Start::kZero>(entries, sources, direction.weights.input, shape.hidden, shape.input, 0,
                                     shape.gates(), kInOrder, 0, shape.input, targets);
  }

  // What needs no order of time.
  void finish_chunk(Index from, Index to, Index entries, bool fresh) const {
    copy_columns(from, to, entries);
    team.wait();
    if (direction.input_gradient.data) {
      Index entry = 0, mine = 0;
      for (Index s = from; s < to; ++s) {
        const Index t = time(s), active = rows.active(t);
        for (Index i = 0; i < active; ++i, ++entry) {
          if (entry < team.begin(entries) || entry >= team.end(entries)) continue;
          sources[mine] = shared.gradients + entry * gradient_stride + row.input * shape.hidden;
          targets[mine++] = rows.at(direction.input_gradient, t, i);
        }
      }
      multiply_input(mine);
    }
    if (weights.hidden) add_hidden(entries, fresh);
    if (weights.input) add_input(entries, fresh);
    if (weights.input_bias || weights.hidden_bias) add_bias(entries);
  }

  void add_hidden(Index entries, bool fresh) const {
    const bool before = shape.cell == Cell::kGruBefore;
    if (transpose_hidden) {
      const int parts = before ? 2 : shape.gates();
      add_transposed(shared.states, shape.hidden, row.recurrent, parts, entries, shared.transposed_hidden);
      if (before)
        add_transposed(shared.gated, shape.hidden, 2, 1, entries,
                       shared.transposed_hidden + 2 * shape.hidden);
      return;
    }
    for (int gate = 0; gate < shape.gates(); ++gate)
      add_outer(row.of_recurrent[gate], before && gate == 2 ? shared.gated : shared.states, hidden, entries,
                fresh, weights.hidden + gate * shape.hidden * shape.hidden);
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
          if (shape.cell == Cell::kGruBefore) {
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
