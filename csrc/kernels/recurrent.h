// The whole of a call: its rows and directions shared out to threads.
#pragma once

#include "kernels/backward.h"
#include "kernels/fingerprint.h"
#include "kernels/writing.h"

namespace sluicegate::SLUICEGATE_ISA {

// Weights beyond this many bytes do not stay in the second-level cache of a core while a step goes over them.
inline constexpr Index kNearBytes = Index{3} << 19;
// Units that are worth sharing: with fewer, the threads would wait for each other more than they compute.
inline constexpr Index kSharedUnits = 128;
inline constexpr Index kPassedUnits = 32;

// Whether the threads share the units of each step rather than the rows of the batch. They do where there are
// too few rows to keep the multipliers busy while the weights come in, or where a thread's part of the
// weights stays near and the whole would not.
inline bool shares_units(const Call& call) {
  const Index hidden = call.shape.hidden, rows = call.sequences.batch;
  if (call.threads < 2 || call.directions > 1) return false;
  // Of a MinGRU they wait for each other once in a chunk, not once in a step.
  if (!call.shape.recurrent()) return rows < call.threads && hidden >= kPassedUnits;
  if (hidden < kSharedUnits) return false;
  const Index bytes =
      call.shape.gates() * hidden * call.shape.words(hidden) * static_cast<Index>(sizeof(float));
  return rows <= kGroup && (rows < 2 * call.threads || bytes > kNearBytes);
}

// The rows of one direction cut into groups, of which all threads get as many where that can be.
inline Cut groups_of(const Call& call, Index most_rows = kGroup) {
  const Index rows = call.sequences.batch;
  const Index threads = most(1, least(rows, call.threads / call.directions));
  const Index groups = round_up(divide_up(rows, most_rows), threads);
  return Cut(rows, most(1, divide_up(rows, most(1, groups))));
}

// How long one thread takes, roughly.
inline double microseconds(const Call& call, bool backward) {
  constexpr Index kGates = 32;                       // a gate costs as much as so many multiply-adds
  constexpr double kMultiplyAdds = 2000.0 * kWidth;  // in a microsecond
  const Index columns = call.shape.input + (call.shape.recurrent() ? call.shape.hidden : 0) + kGates;
  const double sums = static_cast<double>(call.sequences.batch * call.sequences.steps) *
                      static_cast<double>(call.shape.gates() * call.shape.hidden * columns * call.directions);
  return (backward ? 2.0 : 1.0) * sums / kMultiplyAdds;
}

struct ForwardWork {
  const Call& call;
  Cut groups;
  Index chunk;
  float* shared;
  float*
      own;  // of the members of a team, one after the other: nothing that they do may fail for want of memory
  Index own_floats;
  Barrier* barrier;

  static Rows rows_of(const Call& call, const Cut& groups, Index group) {
    return {call.sequences, groups.start(group), groups.size(group)};
  }

  static bool laid_out(const Call& call) { return call.direction[0].panels != nullptr; }

  static void run(const Forward& forward, Index chunk) {
    forward.begin();
    for (Index from = 0; from < forward.rows.steps(); from += chunk)
      forward.run(from, least(forward.rows.steps(), from + chunk), true, nullptr);
    forward.team.wait();
  }

  static void task(void* context, int task) {
    const auto& work = *static_cast<ForwardWork*>(context);
    const Call& call = work.call;
    const Rows rows = rows_of(call, work.groups, task % work.groups.tiles);
    const Index chunk = rows.chunk(), shared = Forward::shared_floats(call.shape, rows.count);
    Scratch scratch(shared + Forward::own_floats(call.shape, rows.count, chunk, laid_out(call)));
    float* memory = scratch.take(shared);
    run({call, call.direction[task / work.groups.tiles], rows, {}, memory, scratch, chunk}, chunk);
  }

  static void share(void* context, int rank, int size) {
    const auto& work = *static_cast<ForwardWork*>(context);
    const Call& call = work.call;
    const Rows rows{call.sequences, 0, call.sequences.batch};
    Memory own(work.own + rank * work.own_floats);
    run({call, call.direction[0], rows, {rank, size, work.barrier}, work.shared, own, work.chunk},
        work.chunk);
  }
};

inline void forward(const Call& call) {
  if (call.sequences.batch == 0) return;
  ForwardWork work{call, groups_of(call), 0, nullptr, nullptr, 0, nullptr};
  if (shares_units(call)) {
    const Index rows = call.sequences.batch, shared = Forward::shared_floats(call.shape, rows);
    work.chunk = Rows{call.sequences, 0, rows}.chunk();
    work.own_floats = Forward::own_floats(call.shape, rows, work.chunk, ForwardWork::laid_out(call));
    Scratch scratch(shared + call.threads * work.own_floats);
    Barrier barrier;
    work.shared = scratch.take(shared);
    work.own = scratch.take(call.threads * work.own_floats);
    work.barrier = &barrier;
    run_team(call.threads, microseconds(call, false), ForwardWork::share, &work);
    return;
  }
  run_tasks(static_cast<int>(work.groups.tiles * call.directions), call.threads, microseconds(call, false),
            ForwardWork::task, &work);
}

// The gradients of one direction's weights in one block of memory.
struct GradientBlock {
  Index input, hidden, bias;

  explicit GradientBlock(const Shape& s)
      : input(s.gates() * s.hidden * s.input),
        hidden(s.recurrent() ? s.gates() * s.hidden * s.hidden : 0),
        bias(s.gates() * s.hidden) {}
  Index floats() const {
    return Scratch::padded(input) + Scratch::padded(hidden) + 2 * Scratch::padded(bias);
  }

  // Where a task adds: the caller's arrays for the first one, memory of its own for the others.
  WeightGradients of(const Direction& d, float* block) const {
    if (block == nullptr)
      return {d.input_weight_gradient, d.hidden_weight_gradient, d.input_bias_gradient,
              d.hidden_bias_gradient};
    WeightGradients w;
    w.input = block;
    w.hidden = w.input + Scratch::padded(input);
    w.input_bias = w.hidden + Scratch::padded(hidden);
    w.hidden_bias = w.input_bias + Scratch::padded(bias);
    if (!d.input_weight_gradient) w.input = nullptr;
    if (!d.hidden_weight_gradient) w.hidden = nullptr;
    if (!d.input_bias_gradient) w.input_bias = nullptr;
    if (!d.hidden_bias_gradient) w.hidden_bias = nullptr;
    return w;
  }

  template <class F>
  void each(const WeightGradients& w, F&& f) const {
    if (w.input) f(w.input, input);
    if (w.hidden) f(w.hidden, hidden);
    if (w.input_bias) f(w.input_bias, bias);
    if (w.hidden_bias) f(w.hidden_bias, bias);
  }
  void clear(const WeightGradients& w) const {
    each(w, [](float* to, Index n) {
      for (Index i = 0; i < n; ++i) to[i] = 0.0f;
    });
  }
  void add(const WeightGradients& to, const WeightGradients& from) const {
    auto add_to = [](float* a, const float* b, Index n) {
      if (a)
        for (Index i = 0; i < n; ++i) a[i] += b[i];
    };
    add_to(to.input, from.input, input);
    add_to(to.hidden, from.hidden, hidden);
    add_to(to.input_bias, from.input_bias, bias);
    add_to(to.hidden_bias, from.hidden_bias, bias);
  }
};

struct BackwardWork {
  // Blocks of gradients of their own that the groups of a direction share, at most: with one for each group a
  // batch of many thousand rows would take gigabytes.
  static constexpr Index kBlocks = 8;

  const Call& call;
  Cut groups;
  Cut slices;  // of the groups, a block for each
  GradientBlock block;
  float* blocks;  // of all slices but the first, direction by direction
  Index chunk;
  const Backward::Shared* shared;
  float* own;  // of the members of a team
  Index own_floats;
  Barrier* barrier;

  explicit BackwardWork(const Call& c)
      : call(c),
        groups(groups_of(c, together(c))),
        slices(groups.tiles, most(1, divide_up(groups.tiles, most(kBlocks, c.threads)))),
        block(c.shape) {}

  // Rows of a group. Of few steps they are more than a step forward takes, since the gradients of the weights
  // are read and written for every group.
  static Index together(const Call& c) {
    return c.every ? kGroup : most(kGroup, Backward::kRowsTogether / most(1, c.sequences.steps));
  }

  float* block_of(Index direction, Index slice) const {
    return slice == 0 ? nullptr : blocks + (direction * (slices.tiles - 1) + slice - 1) * block.floats();
  }

  static void task(void* context, int task) {
    const auto& work = *static_cast<BackwardWork*>(context);
    const Call& call = work.call;
    const Index direction = task / work.slices.tiles, slice = task % work.slices.tiles;
    const Direction& d = call.direction[direction];
    const WeightGradients weights = work.block.of(d, work.block_of(direction, slice));
    for (Index i = 0; i < work.slices.size(slice); ++i) {
      const Rows rows = ForwardWork::rows_of(call, work.groups, work.slices.start(slice) + i);
      const Index chunk = Backward::chunk_of(call, rows);
      Scratch scratch(Backward::Shared::floats(call, rows.count, chunk) +
                      Backward::own_floats(call, rows.count, chunk));
      const Backward::Shared shared(call, rows.count, chunk, scratch);
      Backward(call, d, rows, {}, weights, chunk, shared, scratch).run(i == 0);
    }
  }

  static void share(void* context, int rank, int size) {
    const auto& work = *static_cast<BackwardWork*>(context);
    const Call& call = work.call;
    const Direction& d = call.direction[0];
    const Rows rows{call.sequences, 0, call.sequences.batch};
    Memory own(work.own + rank * work.own_floats);
    const WeightGradients weights = work.block.of(d, nullptr);
    const Team team{rank, size, work.barrier};
    Backward(call, d, rows, team, weights, work.chunk, *work.shared, own).run(true);
  }
};

inline void backward(const Call& call) {
  BackwardWork work(call);
  if (call.sequences.batch == 0) {
    for (int d = 0; d < call.directions; ++d) work.block.clear(work.block.of(call.direction[d], nullptr));
    return;
  }
  if (shares_units(call)) {
    const Index rows = call.sequences.batch;
    work.chunk = Backward::chunk_of(call, {call.sequences, 0, rows});
    work.own_floats = Backward::own_floats(call, rows, work.chunk);
    Scratch scratch(Backward::Shared::floats(call, rows, work.chunk) + call.threads * work.own_floats);
    const Backward::Shared shared(call, rows, work.chunk, scratch);
    Barrier barrier;
    work.shared = &shared;
    work.own = scratch.take(call.threads * work.own_floats);
    work.barrier = &barrier;
    run_team(call.threads, microseconds(call, true), BackwardWork::share, &work);
    return;
  }
  // Each slice adds to gradients of its own, and they are summed in the order of the slices: which thread
  // took which slice has no influence on the result.
  Scratch scratch(work.block.floats() * (work.slices.tiles - 1) * call.directions);
  work.blocks = scratch.take(0);
  run_tasks(static_cast<int>(work.slices.tiles * call.directions), call.threads, microseconds(call, true),
            BackwardWork::task, &work);
  for (int d = 0; d < call.directions; ++d)
    for (Index slice = 1; slice < work.slices.tiles; ++slice)
      work.block.add(work.block.of(call.direction[d], nullptr),
                     work.block.of(call.direction[d], work.block_of(d, slice)));
}

template <class F>
inline void map(const float* in, float* out, Index count, F&& f) {
  Index i = 0;
  for (; i < count; i += kWidth) {
    const int n = static_cast<int>(least(kWidth, count - i));
    Float value[1] = {load(in + i, n)};
    f(value);
    store(out + i, value[0], n);
  }
}
inline void map_sigmoid(const float* in, float* out, Index count) {
  map(in, out, count, [](Float(&a)[1]) { sigmoid(a); });
}
inline void map_tanh(const float* in, float* out, Index count) {
  map(in, out, count, [](Float(&a)[1]) { tanh(a); });
}

// As many independent chains as hide the time that one multiply-add takes.
inline double multiply_adds(Index rounds) {
  Float sums[12];
  for (Float& sum : sums) sum = fill(0.0f);
  const Float factor = fill(0.5f), term = fill(1.0f);
  for (Index i = 0; i < rounds; ++i)
#pragma GCC unroll 12
    for (Float& sum : sums) sum = multiply_add(sum, factor, term);
  float kept[kWidth];
  float total = 0.0f;
  for (const Float& sum : sums) {
    store(kept, sum);
    total += kept[0];
  }
  return total > 0.0f ? 2.0 * 12 * kWidth * static_cast<double>(rounds) : 0.0;
}

inline constexpr Kernels table(const char* name) {
  Kernels all{name,        forward_panels, backward_panels, pack_forward, pack_backward, forward,
              backward,    nullptr,        nullptr,         nullptr,      nullptr,       nullptr,
              map_sigmoid, map_tanh,       fingerprint,     multiply_adds};
  if constexpr (kFloats) {
    all.product_panels = product_panels;
    all.pack_product = pack_product;
    all.product = multiply_rows;
    all.attend = attend;
    all.log_sums = log_sums;
  }
  return all;
}

}  // namespace sluicegate::SLUICEGATE_ISA
