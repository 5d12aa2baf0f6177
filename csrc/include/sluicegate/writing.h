// What networks that write ask for beside their layers, a word after the other: products with weights that
// stay the same, attention to what was read, and sums of exponentials.
//
// A row's bits do not depend on the rows beside it, nor on the number of threads.
#pragma once

#include <cstdint>

namespace sluicegate {

using Index = std::int64_t;

// out[r] = bias + a[r] · weights, of weights `[columns depth]` that were laid out with their bias.
struct Product {
  Index rows = 0, depth = 0, columns = 0;
  const float* a = nullptr;  // [rows depth], rows `a_row` floats apart
  Index a_row = 0;
  const float* panels = nullptr;
  float* out = nullptr;  // [rows columns], rows `out_row` floats apart
  Index out_row = 0;
  int threads = 1;
};

// Additive attention: the weights of a query q are the softmax over the steps of score · tanh(q + key), and
// its context is the sum of the states by these.
struct Attention {
  Index rows = 0, queries = 0;  // of each row
  Index steps = 0;              // that there is room for
  Index hidden = 0, memory = 0;
  const Index* sources = nullptr;  // [rows], which of the sources each row asks
  const Index* lengths = nullptr;  // [sources], from 1 to `steps`: what lies beyond is not read
  const float* query = nullptr;    // [rows queries hidden]
  const float* keys = nullptr;     // [sources steps hidden]
  const float* states = nullptr;   // [sources steps memory]
  const float* score = nullptr;    // [hidden]
  float* weights = nullptr;        // [rows queries steps], zero beyond
  float* context = nullptr;        // [rows queries memory]
  int threads = 1;
};

}  // namespace sluicegate
