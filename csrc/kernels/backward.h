// The backward pass of a group of rows over its steps, from the last to the first.
//
// A chunk of steps is gone through one by one for the gradients of the gates, which need the one product that
// depends on time: the gradients of a step's gates with the recurrent weights. They are kept for the chunk,
// and the rest is done for all of it at once: the gradient of the input, and those of the weights.
#pragma once

#include "kernels/derivatives.h"
#include "kernels/weight_gradients.h"

namespace sluicegate::SLUICEGATE_ISA {

// The order in which the steps of a group of rows are gone through.
struct Backward : WeightSums {
  using WeightSums::WeightSums;

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

  const float* cell_state_before(Index from, Index s, Index i, Index entry_before) const {
    if (!traits.has_cell_state()) return nullptr;
    const Index numbers = shape.saved(), last = numbers - 1;
    const Index t = time(s);
    const float* c;
    if (is_first(t, i))
      c = rows.at(direction.c0, shape.hidden, i);
    else if (!call.every)
      c = direction.saved + (rows.cell(previous(t), i) * numbers + last) * shape.hidden;
    else if (s == from)
      c = direction.cell_states + ((from / chunk) * rows.sequences.batch + rows.first + i) * shape.hidden;
    else
      c = shared.saved + ((entry_before + i) * numbers + last) * shape.hidden;
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
    with_weights(shape.precision, [&]<class W>() {
      meet_gates<W>(entries, round_sources<W>(entries, shape.input), forward_layout, direction.panels,
                    block_begin(), block_end(), MinGruBack{meetings, shape.hidden});
    });
  }

  // Recomputes the forward pass of the chunk, from the states that the outputs hold.
  void run_forward(const Forward& forward, Index from, Index to) const {
    const Index t = time(from);
    for (Index i = 0; i < rows.count; ++i) {
      const bool begun = i < rows.active(t) && !is_first(t, i);
      const float* h = begun ? state_before(t, i) : rows.at(direction.h0, shape.hidden, i);
      for (float* buffer : forward.state) forward.set(buffer + i * stride, h);
      if (traits.has_cell_state())
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
    const bool backwards = s % 2;
    for (int phase = traits.phases - 1; phase >= 0; --phase) {
      Derivatives::with(shape.cell, phase, [&]<class C>() {
        for (Index i = 0; i < active; ++i) step_backward<C>(step_of(i), unit_begin(), unit_end());
      });
      for (Index i = 0; i < active; ++i) {
        sources[i] = shared.gradients + (entry + i) * gradient_stride +
                     (row.recurrent + traits.phase_begin(phase)) * shape.hidden;
        targets[i] = (phase == 0 ? shared.state : shared.product) + i * stride;
      }
      team.wait();
      // What a first step passes on is the gradient of h0: of single steps it is a third of the work.
      if (phase == 0 && s == 0 && direction.h0_gradient == nullptr) return;
      multiply_recurrent(active, phase, backwards);
    }
  }

  template <class W>
  const float* const* round_sources(Index count, Index depth) const {
    return operands<W>(count, sources, depth, multiplied, rounded, row_stride(depth));
  }

  // The rows have room beyond the last unit for a whole vector: of the panels no column is left out.
  void multiply_recurrent(Index active, int phase, bool backwards) const {
    const bool fresh = phase > 0 || !traits.carries;
    const int gates = traits.phase[phase].count;
    const Index depth = gates * shape.hidden;
    if (direction.backward_panels)
      with_weights(shape.precision, [&]<class W>() {
        multiply_columns<W>(active, round_sources<W>(active, depth),
                            direction.backward_panels + layout.phase[phase], depth, hidden, panel_begin(),
                            panel_end(), backwards, fresh, targets, round_up(shape.hidden, kWidth));
      });
    else
      multiply_weights(active, sources, direction.weights.hidden, shape.hidden, shape.hidden,
                       traits.phase_begin(phase), gates, order_of(traits, phase), unit_begin(), unit_end(),
                       fresh, targets);
  }

  void multiply_input(Index entries) const {
    const Index depth = shape.gates() * shape.hidden;
    if (direction.backward_panels)
      with_weights(shape.precision, [&]<class W>() {
        multiply_columns<W>(entries, round_sources<W>(entries, depth),
                            direction.backward_panels + layout.input, depth, input, 0, input.panels(), false,
                            true, targets, shape.input);
      });
    else
      multiply_weights(entries, sources, direction.weights.input, shape.hidden, shape.input, 0, shape.gates(),
                       kInOrder, 0, shape.input, true, targets);
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
};

}  // namespace sluicegate::SLUICEGATE_ISA
