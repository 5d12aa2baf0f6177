// What networks that write ask for beside their layers. Addresses come as numbers, as everywhere.
#include "writing.h"

#include <nanobind/stl/array.h>

#include <array>
#include <stdexcept>

#include "arguments.h"
#include "sluicegate/recurrent.h"

namespace nb = nanobind;

namespace {

using arguments::from_number;
using sluicegate::Index;

void require_thread(int threads) {
  if (threads < 1) throw std::invalid_argument("there is one thread at least");
}

void pack_product(Index weights, Index bias, Index depth, Index columns, Index panels) {
  sluicegate::kernels().pack_product(from_number<const float*>(weights), from_number<const float*>(bias),
                                     depth, columns, from_number<float*>(panels));
}

void multiply(std::array<Index, 3> sizes, std::array<Index, 2> input, Index panels,
              std::array<Index, 2> output, int threads) {
  require_thread(threads);
  const auto [rows, depth, columns] = sizes;
  sluicegate::kernels().product({rows, depth, columns, from_number<const float*>(input[0]), input[1],
                                 from_number<const float*>(panels), from_number<float*>(output[0]), output[1],
                                 threads});
}

void attend(std::array<Index, 5> sizes, std::array<Index, 6> given, std::array<Index, 2> found, int threads) {
  require_thread(threads);
  sluicegate::Attention call;
  std::array<Index*, 5> places = {&call.rows, &call.queries, &call.steps, &call.hidden, &call.memory};
  for (std::size_t i = 0; i < places.size(); ++i) *places[i] = sizes[i];
  call.sources = from_number<const Index*>(given[0]);
  call.lengths = from_number<const Index*>(given[1]);
  call.query = from_number<const float*>(given[2]);
  call.keys = from_number<const float*>(given[3]);
  call.states = from_number<const float*>(given[4]);
  call.score = from_number<const float*>(given[5]);
  call.weights = from_number<float*>(found[0]);
  call.context = from_number<float*>(found[1]);
  call.threads = threads;
  sluicegate::kernels().attend(call);
}

void log_sums(Index rows, Index number, Index count, Index row, Index out, int threads) {
  require_thread(threads);
  sluicegate::kernels().log_sums(from_number<const float*>(rows), number, count, row,
                                 from_number<float*>(out), threads);
}

}  // namespace

void bind_writing(nb::module_& m) {
  using Release = nb::call_guard<nb::gil_scoped_release>;
  m.def(
      "product_floats",
      [](Index depth, Index columns) { return sluicegate::kernels().product_panels(depth, columns); },
      nb::arg("depth"), nb::arg("columns"), "Count the floats that `pack_product` writes.");
  m.def("pack_product", &pack_product, nb::arg("weights"), nb::arg("bias"), nb::arg("depth"),
        nb::arg("columns"), nb::arg("panels"), Release(),
        "Lay out weights, `[columns depth]`, and their bias for `product`.");
  m.def("product", &multiply, nb::arg("sizes"), nb::arg("input"), nb::arg("panels"), nb::arg("output"),
        nb::arg("threads"), Release(),
        "Multiply rows with weights: the sizes are those of rows, depth and columns, and the arrays are "
        "given by "
        "address and by the floats from a row to the next.");
  m.def("attend", &attend, nb::arg("sizes"), nb::arg("given"), nb::arg("found"), nb::arg("threads"),
        Release(),
        "Answer queries by additive attention: the sizes are rows, queries of each, steps, hidden and "
        "memory; given "
        "are which source each row asks, lengths, queries, keys, states and what scores, and found are the "
        "weights and the contexts.");
  m.def("log_sums", &log_sums, nb::arg("rows"), nb::arg("number"), nb::arg("count"), nb::arg("row"),
        nb::arg("out"), nb::arg("threads"), Release(),
        "Compute the logarithm of the sum of the exponentials of each of so many rows.");
}
