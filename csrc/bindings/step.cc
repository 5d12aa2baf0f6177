// A step of a stream in one call from Python.
//
// A step of a large layer leaves nothing of Python's code and objects in the caches: each line of Python
// after it waits for memory. So all is found beforehand that can be, and what is returned lies ready.
#include "step.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "arguments.h"
#include "quantized.h"
#include "rows.h"

namespace nb = nanobind;

namespace {

using sluicegate::Index;
using Panels = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using State = nb::ndarray<float, nb::shape<-1, 1, -1>, nb::c_contig, nb::device::cpu>;  // [layers 1 hidden]

// Outputs of one kind, made several at a time: beside a step of 1,024 units one tensor takes 15 us, and the
// next ones 1.
struct Outputs {
  nb::object type;
  nb::object make;  // gives a list of new ones
  ReadRow read;
  Index width = 0;
  std::vector<std::pair<nb::object, float*>> ready{};

  bool are(PyObject* x) const { return reinterpret_cast<PyObject*>(Py_TYPE(x)) == type.ptr(); }

  std::pair<nb::object, float*> take() {
    while (ready.empty()) fill();  // another thread may take what was made
    auto taken = std::move(ready.back());
    ready.pop_back();
    return taken;
  }

  void fill() {
    for (nb::handle made : make()) {
      Row row;
      if (!are(made.ptr()) || !read(made.ptr(), row) || row.count != width || row.stride != sizeof(float))
        throw std::invalid_argument(
            "the outputs of a step are rows of as many floats as the layer has units");
      ready.emplace_back(nb::borrow(made), reinterpret_cast<float*>(row.data));
    }
  }
};

// What the streams of a layer share.
struct Layers {
  struct One {
    sluicegate::Shape shape;
    Panels panels;
    const QuantizedLayer* quantized = nullptr;  // in the place of the panels, kept alive by `owners`
  };
  const sluicegate::Kernels& kernels = sluicegate::kernels();  // those that the panels were laid out for
  std::vector<One> all;
  std::vector<nb::object> owners;
  nb::object threads;
  std::vector<Outputs> outputs;

  Layers(const std::vector<std::pair<arguments::ShapeNumbers, Panels>>& layers, nb::object count_threads,
         const std::vector<std::pair<nb::object, nb::object>>& kinds)
      : threads(std::move(count_threads)) {
    for (const auto& [numbers, panels] : layers) {
      const sluicegate::Shape shape = arguments::shape_of(numbers);
      if (kernels.forward_panels(shape) != static_cast<Index>(panels.size()))
        throw std::invalid_argument("the panels are not those of a layer of this shape");
      add({shape, panels});
    }
    add(kinds);
  }

  // Of layers in int8.
  Layers(const std::vector<nb::object>& layers, nb::object count_threads,
         const std::vector<std::pair<nb::object, nb::object>>& kinds)
      : owners(layers), threads(std::move(count_threads)) {
    for (const nb::object& owner : owners) {
      const auto* layer = nb::cast<const QuantizedLayer*>(owner);
      const sluicegate::QuantizedShape& s = layer->shape;
      add({{s.cell, s.activation, s.input, s.hidden}, {}, layer});
    }
    add(kinds);
  }

  void add(const One& one) {
    const sluicegate::Shape& shape = one.shape;
    if (!all.empty() && shape.cell != all[0].shape.cell)
      throw std::invalid_argument("the layers of a stack are of one cell");
    if (!all.empty() && (shape.input != all[0].shape.hidden || shape.hidden != shape.input))
      throw std::invalid_argument("each layer reads what the one before it puts out");
    all.push_back(one);
  }

  void add(const std::vector<std::pair<nb::object, nb::object>>& kinds) {
    if (all.empty()) throw std::invalid_argument("there is a layer at least");
    for (const auto& [type, make] : kinds) {
      if (!PyType_Check(type.ptr())) throw std::invalid_argument("a kind is a type, with what makes outputs");
      if (const ReadRow read = reader_of(reinterpret_cast<PyTypeObject*>(type.ptr())))
        outputs.push_back({type, make, read, all[0].shape.hidden});
    }
  }

  Outputs* outputs_for(PyObject* x) {
    for (Outputs& kind : outputs)
      if (kind.are(x)) return &kind;
    return nullptr;
  }
};

// The stream of one sequence.
class Step {
 public:
  Step(Layers& layers, std::vector<State> state) : layers_(layers), state_(std::move(state)) {
    const sluicegate::Shape& first = layers_.all[0].shape;
    const auto parts = static_cast<std::size_t>(first.traits().state.count);
    if (state_.size() != parts) throw std::invalid_argument("the state is h, or h and c of an LSTM");
    for (const State& part : state_) {
      if (part.shape(0) != layers_.all.size() || static_cast<Index>(part.shape(2)) != first.hidden)
        throw std::invalid_argument("the state is of the shape [layers 1 hidden]");
      after_.emplace_back(part.size());
    }
    fed_.resize(static_cast<std::size_t>(first.input));
  }

  // The outputs after one step more, of the kind of the input; None, with the state as it was, where that is
  // nothing that can be read here.
  nb::object push(nb::handle x) {
    Row row;
    Outputs* outputs = layers_.outputs_for(x.ptr());
    if (outputs == nullptr || !outputs->read(x.ptr(), row) || row.count != std::ssize(fed_))
      return nb::none();
    row.copy_to(fed_.data());
    const int threads = nb::cast<int>(layers_.threads());
    if (threads < 1) throw std::invalid_argument("there is one thread at least");
    auto [output, shown] = outputs->take();
    {
      const nb::gil_scoped_release release;
      compute(threads);
      std::copy(after_[0].end() - outputs->width, after_[0].end(), shown);
      for (std::size_t i = 0; i < state_.size(); ++i)
        std::copy(after_[i].begin(), after_[i].end(), state_[i].data());
    }
    return output;
  }

 private:
  void compute(int threads) {
    const float* input = fed_.data();
    Index at = 0;
    for (const Layers::One& layer : layers_.all) {
      if (layer.quantized)
        compute_quantized(*layer.quantized, input, at, threads);
      else
        compute_floats(layer, input, at, threads);
      input = after_[0].data() + at;
      at += layer.shape.hidden;
    }
  }

  void compute_quantized(const QuantizedLayer& layer, const float* input, Index at, int threads) {
    sluicegate::QuantizedCall call;
    call.steps = call.rows = 1;
    call.input = input;
    call.h0 = state_[0].data() + at;
    call.h_n = after_[0].data() + at;
    if (state_.size() == 2) {
      call.c0 = state_[1].data() + at;
      call.c_n = after_[1].data() + at;
    }
    call.threads = threads;
    layer.forward(call);
  }

  void compute_floats(const Layers::One& layer, const float* input, Index at, int threads) {
    sluicegate::Call call;
    call.shape = layer.shape;
    call.sequences = {1, 1};
    call.input.data = input;
    call.threads = threads;
    sluicegate::Direction& d = call.direction[0];
    d.panels = layer.panels.data();
    d.h0 = state_[0].data() + at;
    d.output.data = after_[0].data() + at;  // a step's output is the new h
    if (state_.size() == 2) {
      d.c0 = state_[1].data() + at;
      d.c_n = after_[1].data() + at;
    }
    layers_.kernels.forward(call);
  }

  Layers& layers_;
  std::vector<State> state_;               // Python's, written when all layers are computed
  std::vector<std::vector<float>> after_;  // the same, and after the step
  std::vector<float> fed_;
};

}  // namespace

void bind_step(nb::module_& m) {
  nb::class_<Layers>(m, "Layers", "The layers of a stack, prepared for steps of its streams.")
      .def(nb::init<const std::vector<std::pair<arguments::ShapeNumbers, Panels>>&, nb::object,
                    const std::vector<std::pair<nb::object, nb::object>>&>(),
           nb::arg("layers"), nb::arg("threads"), nb::arg("kinds"),
           "Take shapes and panels, what counts the threads, and types with what makes outputs of them.")
      .def(nb::init<const std::vector<nb::object>&, nb::object,
                    const std::vector<std::pair<nb::object, nb::object>>&>(),
           nb::arg("layers"), nb::arg("threads"), nb::arg("kinds"),
           "Take layers in int8, and the same beside them.");
  nb::class_<Step>(m, "Step", "A stream of these layers, which takes a step in one call.")
      .def(nb::init<Layers&, std::vector<State>>(), nb::keep_alive<1, 2>(), nb::arg("layers"),
           nb::arg("state"), "Begin from a state, which each push writes anew.")
      .def("push", &Step::push, nb::arg("x").none(), nb::sig("def push(self, x: typing.Any) -> typing.Any"),
           "Take a step; None, with the state as it was, where `x` is no plain row of 32-bit floats.");
}
