// What the kernels beside the recurrent layers promise: affine maps of rows, and additive attention.
//
// A row's bits do not depend on the rows beside it, nor on the number of threads. Arrays are of single
// precision, follow each other without gaps where no stride is given, and none that is written overlaps
// another.
#pragma once

#include <cstdint>

namespace sluicegate {

using Index = std::int64_t;

// y = x Wᵀ + b
struct Affine {
  Index rows = 0, in = 0, out = 0;
  const float* weight = nullptr;  // [out in], not read where there are panels
  const float* bias = nullptr;    // [out], zeros when null
  const float* panels = nullptr;  // of `pack_affine`, which has the bias too; null: made on the way
  const float* x = nullptr;       // [rows in], `x_stride` floats from row to row
  Index x_stride = 0;
  float* y = nullptr;  // [rows out], likewise
  Index y_stride = 0;
  int threads = 1;
};

// weights = softmax over steps of score · tanh(query + key), context = weights · memory; of no score, the
// weights are those that are there.
struct Attend {
  Index batch = 0, queries = 0, steps = 0, hidden = 0, memory_size = 0;
  const float* query = nullptr;    // [batch queries hidden]
  const float* keys = nullptr;     // [batch steps hidden]
  const float* score = nullptr;    // [hidden]; where it is null, neither queries nor keys are read
  const float* memory = nullptr;   // [batch steps memory_size]
  const Index* lengths = nullptr;  // [batch], of the steps that are there, 1 at least; all when null
  float* weights = nullptr;        // [batch queries steps], written: 0 beyond the length; or read up to it
  float* context = nullptr;        // [batch queries memory_size], written
  int threads = 1;
};

}  // namespace sluicegate
