// Layers in int8. Their arrays come as arrays: a layer is made once, and a step of a stream is taken by
// step.cc.
#include "quantized.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdlib>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "arguments.h"
#include "sluicegate/cpu.h"
#include "sluicegate/scratch.h"

namespace nb = nanobind;

namespace {

using sluicegate::Index, sluicegate::QuantizedCall, sluicegate::QuantizedShape, sluicegate::QuantizedWeights;
template <class T, int axes>
using Array = nb::ndarray<T, nb::ndim<axes>, nb::c_contig, nb::device::cpu>;
using Whole = Array<const std::int8_t, 2>;
using Floats = Array<const float, 1>;
using Lengths = Array<const Index, 1>;

template <class A>
void require(const A& array, std::initializer_list<Index> sizes, const char* name) {
  std::size_t axis = 0;
  for (const Index size : sizes)
    if (static_cast<Index>(array.shape(axis++)) != size)
      throw std::invalid_argument(std::string("the ") + name + " is not of the shape that the sizes ask for");
}

template <class A>
auto* numbers_of(const std::optional<A>& array, std::initializer_list<Index> sizes, const char* name) {
  if (!array) throw std::invalid_argument(std::string("the ") + name + " is missing");
  require(*array, sizes, name);
  return array->data();
}

std::shared_ptr<void> memory_of(Index bytes) {
  constexpr Index kLine = 64, kPage = Index{2} << 20;
  const Index line = bytes >= kPage ? kPage : kLine;
  void* memory = std::aligned_alloc(line, (bytes + line - 1) / line * line);
  if (memory == nullptr) throw std::bad_alloc();
  sluicegate::prefer_large_pages(memory, bytes);
  return {memory, std::free};
}

void make(QuantizedLayer* self, const std::string& cell, const std::string& activation, Index input,
          Index hidden, const std::optional<Whole>& input_weight,
          const std::optional<Array<const float, 2>>& input_floats, const std::optional<Floats>& input_scale,
          const std::optional<Floats>& input_factor, const Floats& bias,
          const std::optional<Whole>& hidden_weight, const std::optional<Floats>& hidden_scale,
          float hidden_factor, const std::optional<Floats>& hidden_bias, const std::string& isa) {
  QuantizedLayer layer;
  QuantizedShape& shape = layer.shape;
  Index number = 0;
  while (number < std::ssize(sluicegate::kCells) && cell != sluicegate::kCells[number].name) ++number;
  if (number == std::ssize(sluicegate::kCells)) throw std::invalid_argument("there is no cell " + cell);
  if (input < 1 || hidden < 1 || input > arguments::kMostUnits || hidden > arguments::kMostUnits)
    throw std::invalid_argument("a layer has inputs and units");
  shape = {static_cast<sluicegate::Cell>(number),
           activation == "relu" ? sluicegate::Activation::kRelu : sluicegate::Activation::kTanh, input,
           hidden, input_floats.has_value()};
  const sluicegate::CellTraits& traits = shape.traits();
  const Index rows = traits.gates.count * hidden;
  QuantizedWeights w;
  require(bias, {rows}, "bias");
  w.bias = bias.data();
  if (shape.floats) {
    w.input_floats = numbers_of(input_floats, {rows, input}, "input's weight");
  } else {
    w.input = numbers_of(input_weight, {rows, input}, "input's weight");
    w.input_scale = numbers_of(input_scale, {rows}, "input's scale");
    w.input_factor = numbers_of(input_factor, {input}, "input's factor");
  }
  if (traits.recurrent) {
    w.hidden = numbers_of(hidden_weight, {rows, hidden}, "recurrent weight");
    w.hidden_scale = numbers_of(hidden_scale, {rows}, "recurrent scale");
    w.hidden_factor = hidden_factor;
  }
  if (traits.apart) w.hidden_bias = numbers_of(hidden_bias, {hidden}, "recurrent bias");
  layer.kernels =
      isa.empty() ? &sluicegate::quantized_kernels() : sluicegate::find_quantized_kernels(isa.c_str());
  if (layer.kernels == nullptr)
    throw std::invalid_argument("there are no kernels for '" + isa + "' that can run here");
  layer.panels = memory_of(layer.kernels->bytes(shape));
  layer.kernels->pack(shape, w, layer.panels.get());
  new (self) QuantizedLayer(std::move(layer));
}

void forward(const QuantizedLayer& self, const Array<const float, 3>& x,
             const std::optional<Array<const float, 2>>& h0, const std::optional<Array<const float, 2>>& c0,
             const std::optional<Array<float, 3>>& output, const Array<float, 2>& h_n,
             const std::optional<Array<float, 2>>& c_n, const std::optional<Lengths>& lengths, int threads) {
  QuantizedCall call;
  call.steps = static_cast<Index>(x.shape(0));
  call.rows = static_cast<Index>(x.shape(1));
  const Index hidden = self.shape.hidden;
  require(x, {call.steps, call.rows, self.shape.input}, "input");
  require(h_n, {call.rows, hidden}, "state");
  call.input = x.data();
  call.h_n = h_n.data();
  if (h0) call.h0 = numbers_of(h0, {call.rows, hidden}, "state before");
  if (output) call.output = numbers_of(output, {call.steps, call.rows, hidden}, "output");
  if (self.shape.traits().has_cell_state()) {
    call.c_n = numbers_of(c_n, {call.rows, hidden}, "cell state");
    if (c0) call.c0 = numbers_of(c0, {call.rows, hidden}, "cell state before");
  }
  if (lengths) {
    call.lengths = numbers_of(lengths, {call.rows}, "lengths");
    for (Index row = 0; row < call.rows; ++row)
      if (call.lengths[row] < 0 || call.lengths[row] > (row ? call.lengths[row - 1] : call.steps))
        throw std::invalid_argument("the lengths fall, from the number of steps at most");
  }
  if (threads < 1) throw std::invalid_argument("there is one thread at least");
  call.threads = threads;
  const nb::gil_scoped_release release;
  self.forward(call);
}

std::vector<std::string> isas() {
  std::vector<std::string> found;
  for (const char* name : {"avx512_vnni", "avx512", "avx2", "neon", "scalar"})
    if (sluicegate::find_quantized_kernels(name)) found.emplace_back(name);
  return found;
}

}  // namespace

void bind_quantized(nb::module_& m) {
  nb::class_<QuantizedLayer>(m, "QuantizedLayer", "A layer in int8, with its weights laid out.")
      .def("__init__", &make, nb::arg("cell"), nb::arg("activation"), nb::arg("input"), nb::arg("hidden"),
           nb::kw_only(), nb::arg("input_weight").none(), nb::arg("input_floats").none(),
           nb::arg("input_scale").none(), nb::arg("input_factor").none(), nb::arg("bias"),
           nb::arg("hidden_weight").none(), nb::arg("hidden_scale").none(), nb::arg("hidden_factor"),
           nb::arg("hidden_bias").none(), nb::arg("isa") = "", "Lay out weights, which are copied.")
      .def("forward", &forward, nb::arg("x"), nb::arg("h0").none(), nb::arg("c0").none(),
           nb::arg("output").none(), nb::arg("h_n"), nb::arg("c_n").none(), nb::arg("lengths").none(),
           nb::arg("threads"), "Compute the layer, into arrays that are there.")
      .def_prop_ro(
          "isa", [](const QuantizedLayer& self) { return std::string(self.kernels->name); },
          "The instruction set of its kernels.")
      .def_prop_ro(
          "nbytes", [](const QuantizedLayer& self) { return self.kernels->bytes(self.shape); },
          "The memory of its weights, in bytes.");
  m.def("quantized_isas", &isas, "Name the instruction sets that layers in int8 can be laid out for here.");
}
