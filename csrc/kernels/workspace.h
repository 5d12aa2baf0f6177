// The backward pass's memory, and what its parts ask of a group of rows.
#pragma once

#include "kernels/columns.h"
#include "kernels/forward.h"

namespace sluicegate::SLUICEGATE_ISA {

// Where the gradients of the weights are added up, in the shape of the weights; null where not wanted.
struct WeightGradients {
  float* input;
  float* hidden;
  float* input_bias;
  float* hidden_bias;
};

// A group of rows in the backward pass: whose steps are gone through here, by whom, and where in memory.
struct BackwardGroup {
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
  const CellTraits& traits;
  const GradientRow& row;
  const Columns hidden, input;
  const bool transpose_hidden, transpose_input;
  const Index stride, gradient_stride;

  // Working memory. The first part is shared by the team, the second is this thread's own.
  struct Shared {
    float* state;              // [row, stride], the gradient of h
    float* cell_state;         // [row, stride], the gradient of c
    float* product;            // [row, stride], of what a second phase multiplies: r * h
    float* zeros;              // [stride]
    float* gradients;          // [chunk rows, gradient_stride], of the gates
    float* states;             // h before of the chunk's rows: in panels of columns; transposed, row by row
    float* gated;              // of a second phase: r * h, likewise
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
      const Index gradient = row_stride(s.traits().gradient.parts * s.hidden);
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
      gated = memory_.take(s.traits().phases == 2 ? columns(s.hidden, transpose_hidden) : 0);
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
  const float** multiplied;  // in bfloat16, as `rounded`: what the weights multiply, as they take it
  float* rounded;
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
    return 3 * Forward::pointers(rows * chunk) + Scratch::padded(rows * chunk * kRows<kColumns>) +
           Scratch::padded(rounded_of(c.shape, rows, chunk)) +
           (c.shape.recurrent() ? 0 : Forward::meetings_of(rows * chunk)) +
           (c.every && c.shape.recurrent() ? Forward::own_floats(c.shape, rows, chunk, true) : 0);
  }

  static Index rounded_of(const Shape& shape, Index rows, Index chunk) {
    if (shape.precision == Precision::kFp32) return 0;
    return rows * chunk * row_stride(most(shape.gates() * shape.hidden, shape.input));
  }

  BackwardGroup(const Call& c, const Direction& d, const Rows& r, Team t, const WeightGradients& w,
                Index chunk_, const Shared& shared_, Memory& own_)
      : call(c),
        shape(c.shape),
        direction(d),
        rows(r),
        team(t),
        weights(w),
        chunk(chunk_),
        layout(c.shape),
        forward_layout(c.shape),
        traits(c.shape.traits()),
        row(traits.gradient),
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
    multiplied = reinterpret_cast<const float**>(own.take(Forward::pointers(rows.count * chunk)));
    rounded = own.take(rounded_of(shape, rows.count, chunk));
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

  void clear(float* target, Index count) const {
    for (Index j = team.begin(count); j < team.end(count); ++j) target[j] = 0.0f;
  }

  Index time(Index s) const { return direction.reverse ? rows.steps() - 1 - s : s; }
  bool is_first(Index t, Index i) const { return direction.reverse ? t == rows.length(i) - 1 : t == 0; }
  Index previous(Index t) const { return direction.reverse ? t + 1 : t - 1; }

  const float* state_before(Index t, Index i) const {
    const float* h =
        is_first(t, i) ? rows.at(direction.h0, shape.hidden, i) : rows.at(direction.output, previous(t), i);
    return h ? h : shared.zeros;
  }
};

}  // namespace sluicegate::SLUICEGATE_ISA
