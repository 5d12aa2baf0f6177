// Hands a problem to the kernels, in arrays of exactly the size that they are promised, and takes the result
// out.
#pragma once

#include <string>
#include <vector>

#include "problem.h"

namespace sluicegate::test {

// How it is handed over. None of this may change a bit of what belongs to a row.
struct Arrangement {
  enum class Layout { kTimeFirst, kBatchFirst, kPacked };
  Layout layout = Layout::kTimeFirst;
  Index row_gap = 0;               // floats between the rows that nobody may touch
  Index step_gap = 0;              // the same between steps, or between the rows of a batch that comes first
  bool ordered = false;            // the rows lie in the arrays in another order than that of their lengths
  bool states_from_saved = false;  // the backward pass finds h in what training keeps, not in the outputs
  bool as_they_lie = false;        // the kernels read the weights themselves, where they can, and no panels
  Index every = 0;
  int threads = 1;
  int backward_threads = 0;  // as many as forward when 0
  std::uint64_t seed = 1;    // of the order
};

// What is asked for. The rest has null pointers, and is empty in the result.
struct Wanted {
  bool output = true, h_n = true, c_n = true;
  bool backward = true;
  bool input = true, h0 = true, c0 = true;
  bool input_weights = true, hidden_weights = true, input_bias = true, hidden_bias = true;
};

Arrangement draw_arrangement(const Problem& problem, Random& random);
Wanted draw_wanted(Random& random);
std::string name_of(const Arrangement& arrangement);

// Also checks that nothing was written but what should have been.
Result<float> run(const Kernels& kernels, const Problem& problem, const Arrangement& arrangement = {},
                  const Wanted& wanted = {});

// All kernels that can run here, the best one first.
const std::vector<const Kernels*>& all_kernels();

// Those that a layer is run with: all of them. But the thread sanitizer is slow, and sees the same in each:
// there, every call gives the next one in turn.
std::vector<const Kernels*> kernels_in_turn();

}  // namespace sluicegate::test
