// A layer of a GRU, an LSTM, an RNN, a MinGRU or a LiGRU over whole sequences, forward and backward.
//
// All arrays are of 32-bit floats. Weights and biases are laid out as PyTorch has them: `[gates*hidden
// input]` and `[gates*hidden hidden]`, the gates of a GRU in the order r, z, n, those of an LSTM i, f, g, o.
// A MinGRU has the gates z, n, and no recurrent weights and biases; a LiGRU has the gates z, n and all of
// these.
#pragma once

#include <cstdint>

#include "sluicegate/cell_traits.h"
#include "sluicegate/writing.h"

namespace sluicegate {

// What weights are multiplied as: 32-bit floats, or rounded to bfloat16 together with what they multiply.
// Sums, gates, states and all arrays are of 32-bit floats in either.
enum class Precision { kFp32, kBf16 };

struct Shape {
  Cell cell = Cell::kGru;
  Activation activation = Activation::kTanh;
  Index input = 0;
  Index hidden = 0;
  Precision precision = Precision::kFp32;

  [[gnu::always_inline]] const CellTraits& traits() const { return kCells[static_cast<int>(cell)]; }
  [[gnu::always_inline]] int gates() const { return traits().gates.count; }
  [[gnu::always_inline]] int saved() const { return traits().saved.count; }
  [[gnu::always_inline]] bool recurrent() const { return traits().recurrent; }
  // Words of 32 bits that panels have for so many weights in depth.
  [[gnu::always_inline]] Index words(Index depth) const {
    return precision == Precision::kBf16 ? (depth + 1) / 2 : depth;
  }
};

struct Weights {
  const float* input = nullptr;        // [gates*hidden input]
  const float* hidden = nullptr;       // [gates*hidden hidden]
  const float* input_bias = nullptr;   // [gates*hidden], or null
  const float* hidden_bias = nullptr;  // [gates*hidden], or null
};

// Which steps there are. Rows are counted from the longest to the shortest.
struct Sequences {
  Index steps = 0;
  Index batch = 0;
  const Index* lengths = nullptr;  // [batch], falling; null when every row has all steps
  const Index* order = nullptr;    // [batch], where each row lies in the arrays; null when in this order
  const Index* offsets =
      nullptr;  // [steps], for packed sequences: where the rows of each step begin; else null
};

// Rows of floats, one for each step of each row of the batch; those of one row of the grid follow each other.
template <class T>
struct Grid {
  T* data = nullptr;
  Index step = 0;  // floats from a step to the next; of no account for packed sequences
  Index row = 0;   // floats from a row of the batch to the next
};

// One direction. A pointer that is null is not read, or not written.
struct Direction {
  bool reverse = false;
  const float* panels = nullptr;  // of `pack_forward`; backward: with `every`, or of a MinGRU
  // Where there are no panels, neither here nor below, the weights are read as they are: not of a MinGRU, nor
  // with `every`, nor in bfloat16. That is for a step or a few of them, since each lays them out for itself.
  Weights weights;
  const float* h0 = nullptr;     // [batch hidden], zeros when null
  const float* c0 = nullptr;     // [batch hidden], LSTM
  Grid<float> output;            // forward: written. backward: read, for h
  float* h_n = nullptr;          // [batch hidden]
  float* c_n = nullptr;          // [batch hidden], LSTM
  float* saved = nullptr;        // [steps batch saved hidden], or packed as the input is
  float* cell_states = nullptr;  // [chunks, batch, hidden], LSTM with `every`: c before each chunk

  const float* backward_panels = nullptr;  // of `pack_backward`
  Grid<const float> output_gradient;
  const float* h_n_gradient = nullptr;
  const float* c_n_gradient = nullptr;
  Grid<float> input_gradient;
  float* h0_gradient = nullptr;
  float* c0_gradient = nullptr;
  float* input_weight_gradient = nullptr;  // these four in the shape of the weights
  float* hidden_weight_gradient = nullptr;
  float* input_bias_gradient = nullptr;
  float* hidden_bias_gradient = nullptr;
};

struct Call {
  Shape shape;
  Sequences sequences;
  Grid<const float> input;
  int directions = 1;
  Direction direction[2];
  int threads = 1;
  // 0: training keeps `saved`. k: nothing is kept but the states, and the backward pass recomputes k steps
  // at a time.
  Index every = 0;
};

// The kernels for one instruction set.
struct Kernels {
  const char* name;
  Index (*forward_panels)(const Shape&);   // floats that pack_forward writes
  Index (*backward_panels)(const Shape&);  // floats that pack_backward writes
  void (*pack_forward)(const Shape&, const Weights&, float* panels);
  void (*pack_backward)(const Shape&, const Weights&, float* panels);
  void (*forward)(const Call&);
  void (*backward)(const Call&);
  Index (*product_panels)(Index depth, Index columns);  // floats that pack_product writes
  void (*pack_product)(const float* weights, const float* bias, Index depth, Index columns, float* panels);
  void (*product)(const Product&);
  void (*attend)(const Attention&);
  // The logarithm of the sum of the exponentials of each of so many rows, `row` floats apart.
  void (*log_sums)(const float* rows, Index number, Index count, Index row, float* out, int threads);
  void (*sigmoid)(const float* in, float* out, Index count);
  void (*tanh)(const float* in, float* out, Index count);
  std::uint64_t (*fingerprint)(const float* data, Index count);  // differs when the floats do
  double (*multiply_adds)(
      Index rounds);  // runs a loop of register-only multiply-adds; how many floating-point operations
};

// The kernels in use: the best that the processor has, or those that the variable SLUICEGATE_ISA names.
// Throws std::invalid_argument where it names none that can run here.
const Kernels& kernels();

// The kernels of that name, or null where they were not compiled or cannot run here.
const Kernels* find_kernels(const char* name);

// From now on these are in use.
void use_kernels(const Kernels& chosen);

}  // namespace sluicegate
