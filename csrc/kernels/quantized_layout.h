// How the weights of a layer in int8 are laid out, and packing them so.
//
// Units are cut into blocks of one vector. A panel of some gates holds for a block, one word of the input
// after the other, a vector of each gate, of which a lane is a unit: its weights for the numbers of that
// word. The last block is filled up with zeros.
#pragma once

#include "kernels/quantized_dot.h"
#include "sluicegate/quantized.h"

namespace sluicegate::SLUICEGATE_ISA {

// A word of 32 bits holds as many numbers to be multiplied as a product takes at once.
constexpr Index words(Index depth) { return divide_up(depth, kDepth); }
// Words of a row, with room for whole vectors where it is written.
constexpr Index row_words(Index depth) { return round_up(words(round_up(depth, kWidth)), 16); }

struct QuantizedLayout {
  QuantizedShape shape;
  int gates;
  Index blocks;
  Index width;  // floats of a row of all gates: block by block, gate by gate
  // Where they begin, in bytes.
  Index factor, input_start, input_scale, bias, input;
  Index hidden_start, hidden_scale, hidden_bias, hidden[2];
  Index total;

  explicit QuantizedLayout(const QuantizedShape& s)
      : shape(s), gates(s.traits().gates.count), blocks(divide_up(s.hidden, kWidth)), total(0) {
    width = blocks * gates * kWidth;
    const Index depth = s.floats ? s.input * static_cast<Index>(sizeof(float)) : words(s.input) * kDepth;
    factor = take((s.floats ? 0 : round_up(s.input, kWidth)) * sizeof(float));
    input_start = take(width * sizeof(float));
    input_scale = take(width * sizeof(float));
    bias = take(width * sizeof(float));
    input = take(width * depth);
    const Index recurrent = s.traits().recurrent ? 1 : 0;
    hidden_start = take(recurrent * width * sizeof(float));
    hidden_scale = take(recurrent * width * sizeof(float));
    hidden_bias = take(blocks * kWidth * sizeof(float));
    for (int phase = 0; phase < 2; ++phase)
      hidden[phase] =
          take(recurrent * s.traits().phase[phase].count * blocks * kWidth * words(s.hidden) * kDepth);
    factors = take(sizeof(float));
  }
  Index factors;  // where that of the state is

 private:
  Index take(Index bytes) {
    const Index begin = total;
    total += round_up(bytes, 64);
    return begin;
  }
};

template <class T>
SLUICEGATE_INLINE const T* at(const void* panels, Index byte) {
  return reinterpret_cast<const T*>(static_cast<const char*>(panels) + byte);
}
template <class T>
SLUICEGATE_INLINE T* at(void* panels, Index byte) {
  return reinterpret_cast<T*>(static_cast<char*>(panels) + byte);
}

// Packs numbers of which there is one for each row of a matrix.
template <class T, class F>
inline void pack_rows(const QuantizedLayout& l, T* to, F&& of_row) {
  for (Index block = 0; block < l.blocks; ++block)
    for (int gate = 0; gate < l.gates; ++gate)
      for (Index lane = 0; lane < kWidth; ++lane, ++to) {
        const Index unit = block * kWidth + lane;
        *to = unit < l.shape.hidden ? of_row(gate * l.shape.hidden + unit) : T{};
      }
}

// Packs the weights of gates [first, first + count), `Depth` numbers of each row side by side.
template <Index Depth, class T>
inline void pack_weights(const QuantizedLayout& l, const T* weights, Index depth, int first, int count,
                         T* to) {
  const Index hidden = l.shape.hidden;
  for (Index block = 0; block < l.blocks; ++block)
    for (Index k = 0; k < depth; k += Depth)
      for (int gate = first; gate < first + count; ++gate)
        for (Index lane = 0; lane < kWidth; ++lane)
          for (Index i = k; i < k + Depth; ++i, ++to) {
            const Index unit = block * kWidth + lane;
            *to = unit < hidden && i < depth ? weights[(gate * hidden + unit) * depth + i] : T{};
          }
}

// What a sum begins from: less what the numbers that are multiplied have too much.
inline void pack_start(const QuantizedLayout& l, const std::int8_t* weights, Index depth, std::int32_t* to) {
  pack_rows(l, to, [&](Index row) {
    std::int32_t sum = 0;
    for (Index k = 0; k < depth; ++k) sum += weights[row * depth + k];
    return -kShift * sum;
  });
}

inline void quantized_pack(const QuantizedShape& shape, const QuantizedWeights& w, void* panels) {
  const QuantizedLayout l(shape);
  const Index input = shape.input, hidden = shape.hidden;
  pack_rows(l, at<float>(panels, l.bias), [&](Index row) { return w.bias[row]; });
  if (shape.floats) {
    pack_weights<1>(l, w.input_floats, input, 0, l.gates, at<float>(panels, l.input));
  } else {
    float* factor = at<float>(panels, l.factor);
    for (Index k = 0; k < round_up(input, kWidth); ++k) factor[k] = k < input ? w.input_factor[k] : 0.0f;
    pack_start(l, w.input, input, at<std::int32_t>(panels, l.input_start));
    pack_rows(l, at<float>(panels, l.input_scale), [&](Index row) { return w.input_scale[row]; });
    pack_weights<kDepth>(l, w.input, input, 0, l.gates, at<std::int8_t>(panels, l.input));
  }
  float* beside = at<float>(panels, l.hidden_bias);
  for (Index unit = 0; unit < l.blocks * kWidth; ++unit)
    beside[unit] = w.hidden_bias && unit < hidden ? w.hidden_bias[unit] : 0.0f;
  if (!shape.traits().recurrent) return;
  pack_start(l, w.hidden, hidden, at<std::int32_t>(panels, l.hidden_start));
  pack_rows(l, at<float>(panels, l.hidden_scale), [&](Index row) { return w.hidden_scale[row]; });
  for (int phase = 0; phase < shape.traits().phases; ++phase)
    pack_weights<kDepth>(l, w.hidden, hidden, shape.traits().phase_begin(phase),
                         shape.traits().phase[phase].count, at<std::int8_t>(panels, l.hidden[phase]));
  *at<float>(panels, l.factors) = w.hidden_factor;
}

inline Index quantized_bytes(const QuantizedShape& shape) { return QuantizedLayout(shape).total; }

}  // namespace sluicegate::SLUICEGATE_ISA
