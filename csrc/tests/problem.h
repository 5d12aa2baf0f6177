// What a layer is to compute, apart from how it is handed to the kernels: see run.h for that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluicegate/recurrent.h"

namespace sluicegate::test {

// All cells that there are.
std::vector<Cell> all_cells();

// Random numbers that are the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  std::uint64_t bits();
  Index below(Index n) { return static_cast<Index>(bits() % static_cast<std::uint64_t>(n)); }
  bool one_in(Index n) { return below(n) == 0; }
  float number(float limit);  // between -limit and limit
  std::vector<float> numbers(Index count, float limit);
  template <class T, std::size_t N>
  T one_of(const T (&choices)[N]) {
    return choices[below(N)];
  }

 private:
  std::uint64_t state_;
};

// Of one direction. An array that is empty is one that the kernels get no pointer to.
struct Numbers {
  bool reverse = false;
  std::vector<float> input_weights, hidden_weights, input_bias, hidden_bias;
  std::vector<float> h0, c0;                                       // [batch hidden]
  std::vector<float> output_gradient, h_n_gradient, c_n_gradient;  // [steps batch hidden] and [batch hidden]
};

// The rows stand in falling order of their lengths. What lies beyond a row's length is of no account.
struct Problem {
  Shape shape;
  Index steps = 0;
  Index batch = 0;
  std::vector<Index> lengths;  // [batch]
  std::vector<float> input;    // [steps batch input]
  std::vector<Numbers> directions;

  Index active(Index t) const;  // rows that have step t: the first so many
};

// What may be left out or not.
struct Parts {
  bool ragged = false;
  int directions = 1;
  bool reverse = false;  // where there is one direction
  bool input_bias = true, hidden_bias = true;
  bool state = true;
  bool output_gradient = true, h_n_gradient = true, c_n_gradient = true;
};

Problem draw(const Shape& shape, Index batch, Index steps, const Parts& parts, Random& random);

// Rows [first, first + count) of it alone, and steps [first, first + count) of it alone, before which the
// states are as given for each direction.
Problem rows_of(const Problem& problem, Index first, Index count);
Problem steps_of(const Problem& problem, Index first, Index count, const std::vector<std::vector<float>>& h0,
                 const std::vector<std::vector<float>>& c0);

std::string name_of(const Problem& problem);

// What comes out, laid out as the problem is. Beyond a row's length there are zeros.
template <class T>
struct Result {
  struct One {
    std::vector<T> output, h_n, c_n;
    std::vector<T> input_gradient, h0_gradient, c0_gradient;
    std::vector<T> input_weight_gradient, hidden_weight_gradient, input_bias_gradient, hidden_bias_gradient;
  };
  std::vector<One> directions;
};

// The equations in double precision, and their derivatives, written as plainly as can be.
struct Reference : Result<double> {
  // How near to its kink a ReLU came, at most: much nearer, and single precision may fall on the other side.
  double nearest_kink = 1e30;
};
Reference reference(const Problem& problem);

}  // namespace sluicegate::test
