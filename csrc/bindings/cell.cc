// A step of a cell in one call from Python, forward and backward.
//
// A step of a small cell takes the kernels a microsecond or two; to look at its tensors in Python, and to
// tell of them in lists of numbers, took ten. So they are found here, and whatever is not as simple as it
// mostly is goes back to Python, which says what is wrong or does it the long way.
#include "cell.h"

#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "arguments.h"
#include "rows.h"
#include "sluicegate/recurrent.h"
#include "sluicegate/scratch.h"

namespace nb = nanobind;

namespace {

using sluicegate::Index;

// Rows up to which a step reads the weights as they lie. Forward the next group of rows would lay them out
// once more; backward the sums are loaded and stored for every four numbers that are added to them.
constexpr Index kForward = 64, kBackward = 16;

// Looks at tensors one by one. Once one is not what it must be, all that follow are not looked at.
class Reader {
 public:
  explicit operator bool() const { return good_; }

  Block any(nb::handle tensor) {
    Block block;
    good_ = good_ && read_block(tensor.ptr(), block);
    return block;
  }
  // Null where there is none.
  float* shaped(nb::handle tensor, std::initializer_list<Index> shape) {
    if (tensor.is_none()) return nullptr;
    const Block block = any(tensor);
    good_ = good_ && block.is(shape);
    return block.data;
  }
  // Four weights, or two of a cell without biases.
  std::array<float*, 4> weights(nb::handle all, const sluicegate::Shape& shape) {
    std::array<float*, 4> found{};
    const nb::object items = nb::steal(PySequence_Fast(all.ptr(), "the weights are a sequence"));
    if (!items.is_valid()) throw nb::python_error();
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(items.ptr());
    good_ = good_ && (count == 2 || count == 4);
    const Index gates = shape.gates() * shape.hidden;
    for (Py_ssize_t i = 0; good_ && i < count; ++i) {
      const nb::handle item = PySequence_Fast_GET_ITEM(items.ptr(), i);
      found[i] = i == 0   ? shaped(item, {gates, shape.input})
                 : i == 1 ? shaped(item, {gates, shape.hidden})
                          : shaped(item, {gates});
    }
    return found;
  }

 private:
  bool good_ = true;
};

// What both passes read.
struct Cell {
  sluicegate::Call call;
  sluicegate::Direction& direction = call.direction[0];
  Reader read;
  Index batch = 0, hidden = 0;

  Cell(std::pair<int, int> kind, nb::handle x, nb::handle h0, nb::handle c0, nb::handle weights, Index units,
       int threads)
      : hidden(units) {
    static const bool readable = has_blocks(Py_TYPE(x.ptr()));
    const Block input = readable ? read.any(x) : Block{};
    if (input.axes != 2) return;
    if (threads < 1) throw std::invalid_argument("there is one thread at least");
    batch = input.shape[0];
    call.shape = arguments::shape_of({kind.first, kind.second, input.shape[1], units});
    call.sequences = {1, batch};
    call.input = {input.data, 0, input.shape[1]};
    call.threads = threads;
    direction.h0 = read.shaped(h0, {batch, units});
    direction.c0 = read.shaped(c0, {batch, units});
    const auto found = read.weights(weights, call.shape);
    direction.weights = {found[0], found[1], found[2], found[3]};
  }
  explicit operator bool() const {
    return batch > 0 && direction.weights.input != nullptr && direction.weights.hidden != nullptr && read;
  }
};

// Whether it was done.
bool take_step(std::pair<int, int> kind, nb::handle x, nb::handle h0, nb::handle c0, nb::handle weights,
               nb::handle h, nb::handle c, nb::handle saved, Index units, int threads) {
  Cell cell(kind, x, h0, c0, weights, units, threads);
  if (!cell) return false;
  auto& d = cell.direction;
  d.h_n = cell.read.shaped(h, {cell.batch, units});
  d.c_n = cell.read.shaped(c, {cell.batch, units});
  d.saved = cell.read.shaped(saved, {cell.batch, cell.call.shape.saved() * units});
  if (!cell.read) return false;
  const nb::gil_scoped_release release;
  const auto& kernels = sluicegate::kernels();
  sluicegate::Scratch room(cell.batch > kForward ? kernels.forward_panels(cell.call.shape) : 0);
  if (cell.batch > kForward) {
    float* const panels = room.take(0);
    kernels.pack_forward(cell.call.shape, d.weights, panels);
    d.panels = panels;
  }
  kernels.forward(cell.call);
  return true;
}

// The gradients of the input, the states and the weights, where they are wanted: each is None where not.
bool take_step_back(std::pair<int, int> kind, nb::handle x, nb::handle h0, nb::handle c0, nb::handle weights,
                    nb::handle saved, nb::handle h_gradient, nb::handle c_gradient, nb::handle d_x,
                    nb::handle d_h0, nb::handle d_c0, nb::handle d_weights, Index units, int threads) {
  Cell cell(kind, x, h0, c0, weights, units, threads);
  if (!cell) return false;
  auto& d = cell.direction;
  const Index batch = cell.batch, kept = cell.call.shape.saved() * units;
  d.saved = cell.read.shaped(saved, {batch, kept});
  d.h_n_gradient = cell.read.shaped(h_gradient, {batch, units});
  d.c_n_gradient = cell.read.shaped(c_gradient, {batch, units});
  d.input_gradient = {cell.read.shaped(d_x, {batch, cell.call.shape.input}), 0, cell.call.shape.input};
  d.h0_gradient = cell.read.shaped(d_h0, {batch, units});
  d.c0_gradient = cell.read.shaped(d_c0, {batch, units});
  const auto of = cell.read.weights(d_weights, cell.call.shape);
  d.input_weight_gradient = of[0];
  d.hidden_weight_gradient = of[1];
  d.input_bias_gradient = of[2];
  d.hidden_bias_gradient = of[3];
  if (!cell.read || d.saved == nullptr) return false;
  d.output = {d.saved + kept - units, 0, kept};  // of an RNN, which keeps h last
  const nb::gil_scoped_release release;
  const auto& kernels = sluicegate::kernels();
  sluicegate::Scratch room(batch > kBackward ? kernels.backward_panels(cell.call.shape) : 0);
  if (batch > kBackward) {
    float* const panels = room.take(0);
    kernels.pack_backward(cell.call.shape, d.weights, panels);
    d.backward_panels = panels;
  }
  kernels.backward(cell.call);
  return true;
}

}  // namespace

void bind_cell(nb::module_& m) {
  m.def(
      "take_step", &take_step, nb::arg("kind"), nb::arg("x"), nb::arg("h0").none(), nb::arg("c0").none(),
      nb::arg("weights"), nb::arg("h").none(), nb::arg("c").none(), nb::arg("saved").none(), nb::arg("units"),
      nb::arg("threads"),
      nb::sig(
          "def take_step(kind: tuple[int, int], x: typing.Any, h0: typing.Any, c0: typing.Any, weights: "
          "typing.Any, h: typing.Any, c: typing.Any, saved: typing.Any, units: int, threads: int) -> bool"),
      "Compute a step of a cell into `h`, `c` and what training keeps; False, and nothing is written, where "
      "a tensor is not plain.");
  m.def("take_step_back", &take_step_back, nb::arg("kind"), nb::arg("x"), nb::arg("h0").none(),
        nb::arg("c0").none(), nb::arg("weights"), nb::arg("saved").none(), nb::arg("h_gradient").none(),
        nb::arg("c_gradient").none(), nb::arg("d_x").none(), nb::arg("d_h0").none(), nb::arg("d_c0").none(),
        nb::arg("d_weights"), nb::arg("units"), nb::arg("threads"),
        nb::sig("def take_step_back(kind: tuple[int, int], x: typing.Any, h0: typing.Any, c0: typing.Any, "
                "weights: typing.Any, saved: typing.Any, h_gradient: typing.Any, c_gradient: typing.Any, "
                "d_x: typing.Any, d_h0: typing.Any, d_c0: typing.Any, d_weights: typing.Any, units: int, "
                "threads: int) -> bool"),
        "Compute the gradients of a step of a cell, likewise.");
}
