// Layers in int8, forward alone: weights are whole numbers with one scale a row, and so is what they
// multiply. `sluicegate.ops.quantized_reference` says what is computed, with every rounding: every
// instruction set gives these very bits, whatever rows are beside a row and whatever steps are computed at
// once.
#pragma once

#include <cstdint>

#include "sluicegate/cell_traits.h"
#include "sluicegate/writing.h"

namespace sluicegate {

struct QuantizedShape {
  Cell cell = Cell::kGru;
  Activation activation = Activation::kTanh;
  Index input = 0;
  Index hidden = 0;
  bool floats = false;  // whether the input and its weights are floats

  [[gnu::always_inline]] const CellTraits& traits() const { return kCells[static_cast<int>(cell)]; }
};

// Rows hold the gates one below the other, as the weights of every layer do.
struct QuantizedWeights {
  const std::int8_t* input = nullptr;   // [gates*hidden input]
  const float* input_floats = nullptr;  // in its place
  const float* input_scale = nullptr;   // [gates*hidden]
  const float* input_factor = nullptr;  // [input]
  const float* bias = nullptr;          // [gates*hidden]
  const std::int8_t* hidden = nullptr;  // [gates*hidden hidden]
  const float* hidden_scale = nullptr;  // [gates*hidden]
  float hidden_factor = 127.0f;
  const float* hidden_bias = nullptr;  // [hidden], of a cell whose last gate's product stays apart
};

struct QuantizedCall {
  QuantizedShape shape;
  const void* panels = nullptr;  // of `pack`, which begin at a cache line
  Index steps = 0;
  Index rows = 0;
  const Index* lengths = nullptr;  // [rows], falling; null when every row has all steps
  const float* input = nullptr;    // [steps rows input]
  const float* h0 = nullptr;       // [rows hidden], zeros when null
  const float* c0 = nullptr;       // [rows hidden], of an LSTM
  float* output = nullptr;  // [steps rows hidden], or null; steps beyond a row's length stay as they are
  float* h_n = nullptr;     // [rows hidden]
  float* c_n = nullptr;     // [rows hidden], of an LSTM
  int threads = 1;
};

struct QuantizedKernels {
  const char* name;
  Index (*bytes)(const QuantizedShape&);  // that `pack` writes
  void (*pack)(const QuantizedShape&, const QuantizedWeights&, void* panels);
  void (*forward)(const QuantizedCall&);
};

// Those that go with the kernels in use for floats, with VNNI where the processor has it.
const QuantizedKernels& quantized_kernels();

// Those of that name, or null where they were not compiled or cannot run here.
const QuantizedKernels* find_quantized_kernels(const char* name);

}  // namespace sluicegate
