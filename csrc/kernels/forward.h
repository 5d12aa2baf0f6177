// The forward pass of a group of rows over its steps.
//
// The input's share of the sums is computed for a chunk of steps at a time, as one product of many rows that
// stays in the second-level cache until the steps of the chunk have used it. The steps then go one by one:
// the recurrent product, and the gates with it. Those of a MinGRU go together: see mingru.h.
#pragma once

#include "kernels/mingru.h"
#include "sluicegate/scratch.h"
#include "sluicegate/threads.h"

namespace sluicegate::SLUICEGATE_ISA {

// Threads that share the units of one group of rows.
struct Team {
  int rank = 0;
  int size = 1;
  Barrier* barrier = nullptr;

  void wait() const {
    if (size > 1) barrier->wait(size);
  }
  // This thread's share of [0, count).
  Index begin(Index count) const { return count * rank / size; }
  Index end(Index count) const { return count * (rank + 1) / size; }
};

// Rows apart by this many floats do not fall on the same lines of a cache.
constexpr Index row_stride(Index floats) { return round_up(floats, 16) + 16; }

// Rows whose products are computed together, over all steps of a chunk: so many that large weights are not
// read too often, and so few that they stay in the second-level cache until the steps have used them.
inline constexpr Index kChunkRows = 128;

// Rows [first, first + rows) of a call, and how many of them each step has.
struct Rows {
  const Sequences& sequences;
  Index first, count;

  Index memory_row(Index i) const { return sequences.order ? sequences.order[first + i] : first + i; }
  Index length(Index i) const { return sequences.lengths ? sequences.lengths[first + i] : sequences.steps; }
  Index active(Index t) const {  // they are sorted: the first so many
    if (!sequences.lengths) return count;
    Index low = 0, high = count;
    while (low < high) {
      const Index middle = (low + high) / 2;
      if (length(middle) > t)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }
  // Of the call's longest row: in reverse, the chunks of a row must not depend on those that share its group.
  Index steps() const { return sequences.lengths ? sequences.lengths[0] : sequences.steps; }
  Index chunk(Index together = kChunkRows) const { return most(1, together / most(1, count)); }
  Index cell(Index t, Index i) const {
    return (sequences.offsets ? sequences.offsets[t] : t * sequences.batch) + memory_row(i);
  }
  template <class T>
  T* at(const Grid<T>& grid, Index t, Index i) const {
    if (grid.data == nullptr) return nullptr;
    const Index begin = sequences.offsets ? sequences.offsets[t] * grid.row : t * grid.step;
    return grid.data + begin + memory_row(i) * grid.row;
  }
  template <class T>
  T* at(T* states, Index hidden, Index i) const {  // of [batch hidden]
    return states ? states + memory_row(i) * hidden : nullptr;
  }
};

struct Forward {
  const Shape& shape;
  const Layout layout;
  const Direction& direction;
  const Grid<const float>& input;
  const Index every;
  const Rows rows;
  const Team team;
  // Shared by the team.
  float* state[2];  // [row, stride]: of step s in state[s % 2] before, in the other after
  float* cell_state;
  float* gated;
  float* update;
  Index stride;
  // This thread's own.
  float* sums;  // [chunk rows, layout.sums]; these two not of a MinGRU, which has the last
  const float** inputs;
  float** targets;
  Meeting* meetings;
  float* rounded;         // in bfloat16: inputs or states as the weights take them
  const float* biases;    // as they are laid out
  float* room = nullptr;  // for panels, where they are made of the weights; as the biases, then

  static Index shared_floats(const Shape& shape, Index rows) { return 5 * rows * row_stride(shape.hidden); }
  static Index own_floats(const Shape& shape, Index rows, Index chunk, bool laid_out) {
    const Index rounded = Scratch::padded(rounded_of(shape, rows, chunk));
    if (!shape.recurrent()) return rounded + pointers(rows * chunk) + Forward::meetings_of(rows * chunk);
    const Layout layout(shape);
    return rounded + Scratch::padded(rows * chunk * layout.sums) + 2 * pointers(rows * chunk) +
           (laid_out ? 0 : Scratch::padded(layout.biases) + Scratch::padded(room_of(shape)));
  }
  static Index room_of(const Shape& shape) {
    return room_for(shape.gates(), most(shape.input, shape.hidden));
  }
  static Index rounded_of(const Shape& shape, Index rows, Index chunk) {
    if (shape.precision == Precision::kFp32) return 0;
    return rows * most(chunk * row_stride(shape.input), row_stride(shape.hidden));
  }
  static Index pointers(Index count) { return Scratch::padded(count * sizeof(float*) / sizeof(float)); }
  static Index meetings_of(Index count) { return Scratch::padded(count * sizeof(Meeting) / sizeof(float)); }

  Forward(const Call& call, const Direction& d, const Rows& r, Team t, float* shared, Memory& own,
          Index chunk)
      : shape(call.shape),
        layout(call.shape),
        direction(d),
        input(call.input),
        every(call.every),
        rows(r),
        team(t),
        stride(row_stride(call.shape.hidden)) {
    float** const parts[] = {&state[0], &state[1], &cell_state, &gated, &update};
    for (float** part : parts) {
      *part = shared;
      shared += rows.count * stride;
    }
    const Index entries = rows.count * chunk;
    inputs = reinterpret_cast<const float**>(own.take(pointers(entries)));
    if (shape.recurrent()) {
      sums = own.take(entries * layout.sums);
      targets = reinterpret_cast<float**>(own.take(pointers(entries)));
    } else {
      meetings = reinterpret_cast<Meeting*>(own.take(meetings_of(entries)));
    }
    rounded = own.take(rounded_of(shape, rows.count, chunk));
    biases = direction.panels;
    if (biases) return;
    float* packed = own.take(layout.biases);
    pack_biases(layout, direction.weights, packed);
    biases = packed;
    room = own.take(room_of(shape));
  }

  // The panels of the whole blocks of a set of gates, or that of the units that remain.
  template <class W>
  Panels<W> panels_of(const GateSet& g, bool recurrent, bool rest) const {
    const Index depth = recurrent ? shape.hidden : shape.input;
    const float* weights = recurrent ? direction.weights.hidden : direction.weights.input;
    Panels<W> panels{nullptr, {weights, depth, shape.hidden, g.first, g.count}, 0, kWidth, room};
    if (rest) panels.unit = g.blocks * kWidth, panels.lanes = g.rest;
    if (direction.panels)
      panels.laid_out =
          direction.panels + (recurrent ? g.hidden : g.input) + (rest ? words<W>(depth) * g.rest_begin() : 0);
    return panels;
  }

  // The units that this thread writes.
  Index unit_begin() const { return team.begin(layout.set[0].panels()) * kWidth; }
  Index unit_end() const { return least(shape.hidden, team.end(layout.set[0].panels()) * kWidth); }

  void set(float* to, const float* from) const {
    for (Index u = unit_begin(); u < unit_end(); ++u) to[u] = from ? from[u] : 0.0f;
  }

  // Before step 0. Both buffers get the first state: a row that joins later finds it in either.
  void begin() const {
    for (Index i = 0; i < rows.count; ++i) {
      for (float* buffer : state) set(buffer + i * stride, rows.at(direction.h0, shape.hidden, i));
      if (shape.traits().has_cell_state())
        set(cell_state + i * stride, rows.at(direction.c0, shape.hidden, i));
      if (rows.length(i) == 0) finish(i, 0);
    }
    team.wait();
  }

  void finish(Index i, int buffer) const {
    if (direction.h_n) set(rows.at(direction.h_n, shape.hidden, i), state[buffer] + i * stride);
    if (direction.c_n) set(rows.at(direction.c_n, shape.hidden, i), cell_state + i * stride);
  }

  Index time(Index s) const { return direction.reverse ? rows.steps() - 1 - s : s; }

  // Steps [from, to), in the order in which they are taken. `saved` holds the rows of these steps one after
  // the other; when it is null, they go where the direction says.
  void run(Index from, Index to, bool write, float* saved) const {
    if (!shape.recurrent()) return pass(from, to);
    project(from, to);
    Index entry = 0;
    for (Index s = from; s < to; ++s) {
      const Index t = time(s), active = rows.active(t);
      if (write && direction.cell_states && s % every == 0)
        for (Index i = 0; i < active; ++i)
          set(direction.cell_states + ((s / every) * rows.sequences.batch + rows.first + i) * shape.hidden,
              cell_state + i * stride);
      take_step(s, t, active, entry, write, saved);
      if (write) {
        const Index stay = direction.reverse      ? (t == 0 ? 0 : active)
                           : t + 1 < rows.steps() ? rows.active(t + 1)
                                                  : 0;
        for (Index i = stay; i < active; ++i) finish(i, (s + 1) % 2);
      }
      entry += active;
    }
  }

  // The same of a MinGRU, whose gates do not wait for the state.
  void pass(Index from, Index to) const {
    Index entries = 0;
    for (Index s = from; s < to; ++s) {
      const Index t = time(s), active = rows.active(t);
      for (Index i = 0; i < active; ++i, ++entries) {
        inputs[entries] = rows.at(input, t, i);
        meetings[entries] = {state[0] + i * stride, rows.at(direction.output, t, i), nullptr, nullptr,
                             nullptr};
      }
    }
    const Index panels = layout.set[0].panels();
    with_weights(shape.precision, [&]<class W>() {
      meet_gates<W>(entries, round_inputs<W>(entries), layout, direction.panels, team.begin(panels),
                    team.end(panels), MinGruStep{meetings});
    });
    if (to < rows.steps()) return;
    for (Index i = 0; i < rows.count; ++i)
      if (rows.length(i) > 0) finish(i, 0);
  }

  template <class W>
  const float* const* round_inputs(Index entries) const {
    return operands<W>(entries, inputs, shape.input, inputs, rounded, row_stride(shape.input));
  }

  void project(Index from, Index to) const {
    Index entries = 0;
    for (Index s = from; s < to; ++s) {
      const Index t = time(s), active = rows.active(t);
      for (Index i = 0; i < active; ++i, ++entries) {
        inputs[entries] = rows.at(input, t, i);
        targets[entries] = sums + entries * layout.sums;
      }
    }
    with_weights(shape.precision, [&]<class W>() { multiply_inputs<W>(entries); });
  }

  template <class W>
  void multiply_inputs(Index entries) const {
    const float* const* rows_ = round_inputs<W>(entries);
    for (int i = 0; i < layout.sets; ++i) {
      const GateSet& g = layout.set[i];
      const Index begin = team.begin(g.panels()), end = team.end(g.panels());
      const Index place = layout.sums_begin(i);
      with_constant<4>(g.count, [&]<int V>() {
        product<V>(entries, rows_, panels_of<W>(g, false, false), shape.input, begin, least(end, g.blocks),
                   false, true, biases + g.bias, targets, place, g.width);
      });
      if (g.rest && end == g.panels()) {
        with_constant<4>(g.rest_vectors, [&]<int V>() {
          product<V>(entries, rows_, panels_of<W>(g, false, true), shape.input, 0, 1, false, true,
                     biases + g.bias + g.rest_begin(), targets, place + g.rest_begin(),
                     g.rest_vectors * kWidth);
        });
        if (shape.traits().apart) set_apart(entries);
      }
    }
  }

  // The sums of the units that remain: the candidate's share of the input moves to the end, and the bias
  // beside the reset gate takes its place, where the recurrent product will be added to it.
  void set_apart(Index entries) const {
    const GateSet& g = layout.set[0];
    const float* bias = biases + layout.product_bias + g.blocks * kWidth;
    for (Index e = 0; e < entries; ++e) {
      float* candidate = targets[e] + g.rest_begin() + (g.count - 1) * g.rest;
      store(targets[e] + g.width, load(candidate, g.rest));
      store(candidate, load(bias, g.rest), g.rest);
    }
  }

  void take_step(Index s, Index t, Index active, Index entry, bool write, float* saved) const {
    Step step_;
    step_.rows = active;
    step_.hidden = shape.hidden;
    step_.kinds = shape.saved();
    step_.relu = shape.activation == Activation::kRelu;
    step_.product_bias = biases + layout.product_bias;
    const Index kept = shape.saved() * shape.hidden;
    for (Index i = 0; i < active; ++i) {
      step_.sums[i] = sums + (entry + i) * layout.sums;
      step_.candidate[i] = step_.sums[i] + layout.set[0].width;
      step_.multiplied[i] = step_.before[i] = state[s % 2] + i * stride;
      step_.after[i] = state[(s + 1) % 2] + i * stride;
      step_.cell_state[i] = cell_state + i * stride;
      step_.gated[i] = gated + i * stride;
      step_.update[i] = update + i * stride;
      step_.output[i] = write ? rows.at(direction.output, t, i) : nullptr;
      step_.saved[i] = saved             ? saved + (entry + i) * kept
                       : direction.saved ? direction.saved + rows.cell(t, i) * kept
                                         : nullptr;
    }
    const bool backwards = s % 2;
    for (int phase = 0; phase < shape.traits().phases; ++phase) {
      if (phase > 0)
        for (Index i = 0; i < active; ++i) {
          step_.multiplied[i] = step_.gated[i];
          step_.sums[i] += layout.sums_begin(phase);
        }
      AllSteps::with(shape.cell, phase, [&]<class C>() { advance<C>(step_, backwards); });
    }
  }

  template <class C>
  void advance(Step& step_, bool backwards) const {
    const GateSet& g = layout.set[C::kPhase];
    with_weights(shape.precision, [&]<class W>() {
      operands<W>(step_.rows, step_.multiplied, shape.hidden, step_.multiplied, rounded, stride);
      step<C>(step_, g, panels_of<W>(g, true, false), panels_of<W>(g, true, true), team.begin(g.panels()),
              team.end(g.panels()), backwards);
    });
    team.wait();
  }
};

}  // namespace sluicegate::SLUICEGATE_ISA
