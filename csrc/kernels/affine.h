// Affine maps of rows, and attention: the products of a decoder that lie outside its recurrent layers.
//
// They promise what those do: the bits of a row do not depend on the rows beside it, nor on the number of
// threads. No library of products does: MKL sums a few rows in another order than many, and cuts long sums in
// two for two threads.
#pragma once

#include "kernels/activations.h"
#include "kernels/columns.h"
#include "sluicegate/affine.h"
#include "sluicegate/scratch.h"
#include "sluicegate/threads.h"

namespace sluicegate::SLUICEGATE_ISA {

// Rows of a task, of which a panel is read by all while it is near.
inline constexpr Index kAffineRows = 256;

// The weights as panels of one vector of outputs each, behind the bias, which has whole vectors.
struct AffineLayout {
  Index whole;  // panels
  int rest;     // outputs that remain
  Index bias, total;

  AffineLayout(Index in, Index out)
      : whole(out / kWidth),
        rest(static_cast<int>(out % kWidth)),
        bias(round_up(out, kWidth)),
        total(bias + panels() * kWidth * in) {}
  Index panels() const { return whole + (rest > 0); }
};

inline Index affine_panels(Index in, Index out) { return AffineLayout(in, out).total; }

inline void lay_out_bias(const Affine& a, float* to) {
  const Index width = AffineLayout(a.in, a.out).bias;
  for (Index i = 0; i < width; ++i) to[i] = a.bias && i < a.out ? a.bias[i] : 0.0f;
}

inline void pack_affine(const Affine& a, float* panels) {
  const AffineLayout layout(a.in, a.out);
  lay_out_bias(a, panels);
  const Gates gates{a.weight, a.in, a.out, 0, 1};
  for (Index i = 0; i < layout.panels(); ++i)
    pack_panel<float>(gates, i * kWidth, i < layout.whole ? kWidth : layout.rest, 1, 0, a.in,
                      panels + layout.bias + i * kWidth * a.in);
}

struct AffineWork {
  const Affine& call;
  const AffineLayout layout;
  Cut rows, parts;  // tasks are as many as both together

  explicit AffineWork(const Affine& a)
      : call(a),
        layout(a.in, a.out),
        rows(a.rows, kAffineRows),
        parts(layout.panels(), divide_up(layout.panels(), most(1, divide_up(a.threads, rows.tiles)))) {}

  static Index pointers(Index count) { return Scratch::padded(count * sizeof(float*) / sizeof(float)); }

  static void task(void* context, int task) {
    const auto& work = *static_cast<AffineWork*>(context);
    const Affine& a = work.call;
    const Index tile = task / work.parts.tiles, part = task % work.parts.tiles;
    const Index first = work.rows.start(tile), count = work.rows.size(tile);
    const Index room = a.panels ? 0 : room_for(1, a.in), biases = a.panels ? 0 : work.layout.bias;
    Scratch scratch(2 * pointers(count) + Scratch::padded(room) + Scratch::padded(biases));
    const float** from = reinterpret_cast<const float**>(scratch.take(pointers(count)));
    float** to = reinterpret_cast<float**>(scratch.take(pointers(count)));
    for (Index i = 0; i < count; ++i) {
      from[i] = a.x + (first + i) * a.x_stride;
      to[i] = a.y + (first + i) * a.y_stride;
    }
    const float* bias = a.panels;
    Panels<float> panels{nullptr, {a.weight, a.in, a.out, 0, 1}, 0, kWidth, scratch.take(room)};
    if (a.panels) {
      panels.laid_out = a.panels + work.layout.bias;
    } else {
      float* own = scratch.take(biases);
      lay_out_bias(a, own);
      bias = own;
    }
    work.multiply(count, from, panels, bias, to, work.parts.start(part), work.parts.size(part));
  }

  void multiply(Index count, const float* const* from, Panels<float> panels, const float* bias,
                float* const* to, Index begin, Index size) const {
    const Index end = begin + size, place = layout.whole * kWidth;
    product<1>(count, from, panels, call.in, begin, least(end, layout.whole), false, true, bias, to, 0,
               place);
    if (!layout.rest || end != layout.panels()) return;
    panels.unit = place;
    panels.lanes = layout.rest;
    if (panels.laid_out) panels.laid_out += place * call.in;
    product<1>(count, from, panels, call.in, 0, 1, false, true, bias + place, to, place, layout.rest);
  }
};

// Roughly what one thread takes.
inline double affine_microseconds(double multiply_adds) { return multiply_adds / (2000.0 * kWidth); }

inline void affine(const Affine& a) {
  if (a.rows == 0 || a.out == 0) return;
  AffineWork work(a);
  run_tasks(static_cast<int>(work.rows.tiles * work.parts.tiles), a.threads,
            affine_microseconds(static_cast<double>(a.rows) * static_cast<double>(a.in * a.out)),
            AffineWork::task, &work);
}

// Attention of the queries of one memory.
struct AttendWork {
  static constexpr int kTogether = 4;  // vectors that go through tanh together

  const Attend& call;

  // v · tanh(query + key)
  float score(const float* query, const float* key) const {
    Float sum = fill(0.0f);
    Index j = 0;
    for (; j + kTogether * kWidth <= call.hidden; j += kTogether * kWidth) {
      Float seen[kTogether];
      SLUICEGATE_EACH(kTogether) seen[i] = add(load(key + j + i * kWidth), load(query + j + i * kWidth));
      tanh(seen);
      SLUICEGATE_EACH(kTogether) sum = multiply_add(seen[i], load(call.score + j + i * kWidth), sum);
    }
    for (; j < call.hidden; j += kWidth) {
      const int n = static_cast<int>(least(kWidth, call.hidden - j));
      Float seen[1] = {add(load(key + j, n), load(query + j, n))};
      tanh(seen);
      sum = multiply_add(seen[0], load(call.score + j, n), sum);
    }
    float lanes[kWidth];
    store(lanes, sum);
    float total = 0.0f;
    for (const float lane : lanes) total += lane;
    return total;
  }

  // The softmax of the scores of the steps that are there.
  void weigh(const float* query, const float* keys, Index steps, float* weights) const {
    float highest = -__builtin_inff();
    for (Index k = 0; k < steps; ++k) {
      weights[k] = score(query, keys + k * call.hidden);
      highest = weights[k] > highest ? weights[k] : highest;
    }
    float total = 0.0f;
    for (Index k = 0; k < steps; ++k) total += weights[k] = __builtin_expf(weights[k] - highest);
    for (Index k = 0; k < steps; ++k) weights[k] /= total;
    for (Index k = steps; k < call.steps; ++k) weights[k] = 0.0f;
  }

  static void task(void* context, int row) {
    const Attend& a = static_cast<AttendWork*>(context)->call;
    const Index steps = a.lengths ? a.lengths[row] : a.steps;
    Scratch scratch(2 * AffineWork::pointers(a.queries));
    const float** from = reinterpret_cast<const float**>(scratch.take(AffineWork::pointers(a.queries)));
    float** to = reinterpret_cast<float**>(scratch.take(AffineWork::pointers(a.queries)));
    for (Index i = 0; i < a.queries; ++i) {
      const Index query = row * a.queries + i;
      float* weights = a.weights + query * a.steps;
      if (a.score)
        static_cast<AttendWork*>(context)->weigh(a.query + query * a.hidden,
                                                 a.keys + row * a.steps * a.hidden, steps, weights);
      from[i] = weights;
      to[i] = a.context + query * a.memory_size;
    }
    multiply_weights(a.queries, from, a.memory + row * a.steps * a.memory_size, steps, a.memory_size, 0, 1,
                     kInOrder, 0, a.memory_size, true, to);
  }
};

inline void attend(const Attend& a) {
  if (a.queries == 0) return;
  constexpr double kTanh = 8;  // a tanh costs as much as so many multiply-adds
  AttendWork work{a};
  run_tasks(static_cast<int>(a.batch), a.threads,
            affine_microseconds(static_cast<double>(a.batch * a.queries * a.steps) *
                                (kTanh * static_cast<double>(a.hidden) + static_cast<double>(a.memory_size))),
            AttendWork::task, &work);
}

}  // namespace sluicegate::SLUICEGATE_ISA
