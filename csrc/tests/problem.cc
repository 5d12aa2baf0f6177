#include "problem.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <sstream>

namespace sluicegate::test {

std::vector<Cell> all_cells() {
  std::vector<Cell> all;
  for (std::size_t i = 0; i < std::size(kCells); ++i) all.push_back(static_cast<Cell>(i));
  return all;
}

std::uint64_t Random::bits() {  // SplitMix64
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

float Random::number(float limit) { return limit * (static_cast<float>(bits() >> 40) * 0x1p-23f - 1.0f); }

std::vector<float> Random::numbers(Index count, float limit) {
  std::vector<float> all(count);
  for (float& one : all) one = number(limit);
  return all;
}

Index Problem::active(Index t) const {
  return std::count_if(lengths.begin(), lengths.end(), [t](Index length) { return length > t; });
}

Problem draw(const Shape& shape, Index batch, Index steps, const Parts& parts, Random& random) {
  Problem p;
  p.shape = shape;
  p.batch = batch;
  p.steps = steps;
  p.lengths.assign(batch, steps);
  if (parts.ragged) {
    for (Index& length : p.lengths) length = random.below(steps + 1);
    std::sort(p.lengths.rbegin(), p.lengths.rend());
  }
  p.input = random.numbers(steps * batch * shape.input, 1.0f);
  const Index gates = shape.gates() * shape.hidden, states = batch * shape.hidden;
  const float small_input = 1.5f / std::sqrt(static_cast<float>(shape.input));
  const float small_hidden = 1.5f / std::sqrt(static_cast<float>(shape.hidden));
  auto maybe = [&](bool there, Index count, float limit) { return random.numbers(there ? count : 0, limit); };
  for (int i = 0; i < parts.directions; ++i) {
    Numbers n;
    n.reverse = parts.directions == 2 ? i == 1 : parts.reverse;
    n.input_weights = random.numbers(gates * shape.input, small_input);
    n.hidden_weights = maybe(shape.recurrent(), gates * shape.hidden, small_hidden);
    n.input_bias = maybe(parts.input_bias, gates, 0.5f);
    n.hidden_bias = maybe(parts.hidden_bias && shape.recurrent(), gates, 0.5f);
    n.h0 = maybe(parts.state, states, 1.0f);
    n.c0 = maybe(parts.state && shape.traits().has_cell_state(), states, 1.0f);
    n.output_gradient = maybe(parts.output_gradient, steps * states, 1.0f);
    n.h_n_gradient = maybe(parts.h_n_gradient, states, 1.0f);
    n.c_n_gradient = maybe(parts.c_n_gradient && shape.traits().has_cell_state(), states, 1.0f);
    p.directions.push_back(n);
  }
  return p;
}

namespace {

// Of [steps batch width], the part of some steps and rows; nothing of nothing.
std::vector<float> part(const std::vector<float>& all, const Problem& p, Index width, Index step, Index steps,
                        Index row, Index rows) {
  std::vector<float> some;
  if (all.empty()) return some;
  for (Index t = step; t < step + steps; ++t) {
    const auto begin = all.begin() + (t * p.batch + row) * width;
    some.insert(some.end(), begin, begin + rows * width);
  }
  return some;
}

}  // namespace

Problem rows_of(const Problem& p, Index first, Index count) {
  Problem some = p;
  const Index hidden = p.shape.hidden;
  some.batch = count;
  some.lengths.assign(p.lengths.begin() + first, p.lengths.begin() + first + count);
  some.input = part(p.input, p, p.shape.input, 0, p.steps, first, count);
  for (Numbers& n : some.directions) {
    for (auto* states : {&n.h0, &n.c0, &n.h_n_gradient, &n.c_n_gradient})
      *states = part(*states, p, hidden, 0, 1, first, count);
    n.output_gradient = part(n.output_gradient, p, hidden, 0, p.steps, first, count);
  }
  return some;
}

Problem steps_of(const Problem& p, Index first, Index count, const std::vector<std::vector<float>>& h0,
                 const std::vector<std::vector<float>>& c0) {
  Problem some = p;
  some.steps = count;
  for (Index& length : some.lengths) length = std::clamp<Index>(length - first, 0, count);
  some.input = part(p.input, p, p.shape.input, first, count, 0, p.batch);
  for (std::size_t i = 0; i < some.directions.size(); ++i) {
    Numbers& n = some.directions[i];
    n.h0 = h0[i];
    n.c0 = c0[i];
    n.output_gradient = part(n.output_gradient, p, p.shape.hidden, first, count, 0, p.batch);
  }
  return some;
}

std::string name_of(const Problem& p) {
  std::ostringstream text;
  text << p.shape.traits().name << (p.shape.activation == Activation::kRelu ? " relu" : " tanh")
       << (p.shape.precision == Precision::kBf16 ? " bf16" : "") << ", input " << p.shape.input << ", hidden "
       << p.shape.hidden << ", batch " << p.batch << ", steps " << p.steps;
  if (!p.lengths.empty() && p.lengths.back() < p.steps)
    text << ", lengths " << p.lengths.front() << " to " << p.lengths.back();
  text << (p.directions.size() == 2 ? ", both directions" : p.directions[0].reverse ? ", reverse" : "");
  const Numbers& n = p.directions[0];
  if (n.input_bias.empty()) text << ", no input bias";
  if (n.hidden_bias.empty()) text << ", no hidden bias";
  if (n.h0.empty()) text << ", no state";
  if (n.output_gradient.empty()) text << ", no output gradient";
  if (n.h_n_gradient.empty()) text << ", no h_n gradient";
  return text.str();
}

}  // namespace sluicegate::test
