// How the weights are laid out for the forward pass, and packing them so.
//
// The hidden units are cut into blocks of one vector. For a block, the panel of a set of gates holds a vector
// of each gate side by side, so that all that a unit needs comes out of one tile and its gates are computed
// in registers. Units are seldom a multiple of the vector's width: the gates of the units that remain share
// vectors, lane after lane, so that 50 units of a GRU cost 10 vectors and not 12.
#pragma once

#include "kernels/product.h"

namespace sluicegate::SLUICEGATE_ISA {

// Gates that one product serves, those of a phase of a step.
struct GateSet {
  int first, count;           // of the gates
  Index blocks;               // whole blocks of units
  int rest;                   // units that remain
  int rest_vectors;           // vectors that these share
  Index width;                // floats of a row of sums: all panels side by side
  Index input, hidden, bias;  // where its panels and biases begin among the packed floats

  Index panels() const { return blocks + (rest > 0); }
  Index rest_begin() const { return blocks * count * kWidth; }
};

struct Layout {
  Shape shape;
  int sets;
  GateSet set[2];
  Index sums;          // floats of a row of all sums, with room for what the rest of a GRU keeps apart
  Index product_bias;  // the bias beside the reset gate, by unit
  Index biases;        // floats of all biases, which come first
  Index total;

  explicit Layout(const Shape& s) : shape(s), sets(s.traits().phases), sums(0) {
    for (int i = 0; i < sets; ++i) {
      GateSet& g = set[i];
      g.first = s.traits().phase_begin(i);
      g.count = s.traits().phase[i].count;
      g.blocks = s.hidden / kWidth;
      g.rest = static_cast<int>(s.hidden % kWidth);
      g.rest_vectors = static_cast<int>(divide_up(g.count * g.rest, kWidth));
      g.width = (g.blocks * g.count + g.rest_vectors) * kWidth;
      g.bias = sums;
      sums += g.width;
    }
    product_bias = sums;
    biases = total = product_bias + round_up(s.hidden, kWidth);
    for (GateSet& g : set) {
      if (&g == set + sets) break;
      g.input = total;
      g.hidden = g.input + g.width * s.words(s.input);
      total = g.hidden + (s.recurrent() ? g.width * s.words(s.hidden) : 0);
    }
    sums += kWidth;
  }
  Index sums_begin(int i) const { return i == 0 ? 0 : set[0].width; }
};

template <class W>
inline void pack_set(const float* weights, Index depth, Index hidden, const GateSet& g, float* panels) {
  const Gates gates{weights, depth, hidden, g.first, g.count};
  const Index count = words<W>(depth);
  for (Index block = 0; block < g.blocks; ++block)
    pack_panel<W>(gates, block * kWidth, kWidth, g.count, 0, depth,
                  panels + block * count * g.count * kWidth);
  if (g.rest)
    pack_panel<W>(gates, g.blocks * kWidth, g.rest, g.rest_vectors, 0, depth,
                  panels + count * g.rest_begin());
}

// The biases, which come before the panels.
inline void pack_biases(const Layout& layout, const Weights& weights, float* biases) {
  const Shape& shape = layout.shape;
  const Index hidden = shape.hidden;
  // The recurrent bias of a gate whose product stays apart lies beside the product.
  const bool apart = shape.traits().apart;
  const int last = shape.gates() - 1;
  for (int i = 0; i < layout.sets; ++i) {
    const GateSet& g = layout.set[i];
    float* bias = biases + g.bias;
    for (Index j = 0; j < g.width; ++j) bias[j] = 0.0f;
    for (int gate = 0; gate < g.count; ++gate)
      for (Index unit = 0; unit < hidden; ++unit) {
        const Index from = (g.first + gate) * hidden + unit, block = unit / kWidth, lane = unit % kWidth;
        const Index to = block < g.blocks ? (block * g.count + gate) * kWidth + lane
                                          : g.rest_begin() + gate * g.rest + lane;
        if (weights.input_bias) bias[to] = weights.input_bias[from];
        if (weights.hidden_bias && !(apart && gate == last)) bias[to] += weights.hidden_bias[from];
      }
  }
  float* beside = biases + layout.product_bias;
  for (Index unit = 0; unit < round_up(hidden, kWidth); ++unit)
    beside[unit] =
        apart && weights.hidden_bias && unit < hidden ? weights.hidden_bias[last * hidden + unit] : 0.0f;
}

inline void pack_forward(const Shape& shape, const Weights& weights, float* panels) {
  const Layout layout(shape);
  pack_biases(layout, weights, panels);
  with_weights(shape.precision, [&]<class W>() {
    for (int i = 0; i < layout.sets; ++i) {
      const GateSet& g = layout.set[i];
      pack_set<W>(weights.input, shape.input, shape.hidden, g, panels + g.input);
      if (shape.recurrent()) pack_set<W>(weights.hidden, shape.hidden, shape.hidden, g, panels + g.hidden);
    }
  });
}

inline Index forward_panels(const Shape& shape) { return Layout(shape).total; }

}  // namespace sluicegate::SLUICEGATE_ISA
