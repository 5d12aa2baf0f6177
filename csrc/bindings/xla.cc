// A layer and its gradients as functions that XLA calls from the programs of JAX.
//
// What a call is about comes as a list of numbers, and its arrays follow each other in the order in which
// they are read here: of those that may be missing, the numbers say which are there.
#include "xla.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "sluicegate/recurrent.h"
#include "sluicegate/scratch.h"
#include "xla_ffi.h"

namespace nb = nanobind;

namespace {

using sluicegate::Index;

struct Numbers {
  Index cell, activation, precision, directions, threads;
  Index reverse;      // of a single direction: whether it goes from the last step to the first
  Index batch_first;  // else the steps come first
  Index biased;
  Index states, lengths;              // whether they are among the arguments
  Index keep;                         // forward: whether what training needs is among the results
  Index d_output, d_h_n, d_c_n, d_x;  // backward: whether they are among the arguments, and `d_x` the results
};
constexpr const char* kNames[] = {"cell",    "activation",  "precision", "directions", "threads",
                                  "reverse", "batch_first", "biased",    "states",     "lengths",
                                  "keep",    "d_output",    "d_h_n",     "d_c_n",      "d_x"};
static_assert(sizeof(Numbers) == std::size(kNames) * sizeof(Index));

// Up to so many rows of a single step, or of a few steps, the weights are read as they lie: as in
// ops/kernel_calls.py, which says why.
constexpr Index kForwardRows = 64, kBackwardRows = 16, kBriefSteps = 8, kBriefRows = 32;

// Bytes of a result from which on the system is asked for large pages.
constexpr Index kLarge = Index{4} << 20;

Numbers numbers_of(const xla_ffi::Attributes& attributes) {
  for (Index i = 0; i < attributes.count; ++i) {
    const auto& name = *attributes.names[i];
    if (std::string_view(name.text, name.length) != "numbers") continue;
    const auto* array = static_cast<const xla_ffi::Array*>(attributes.values[i]);
    if (attributes.types[i] != xla_ffi::AttributeType::kArray || array->type != xla_ffi::DataType::kS64 ||
        array->count != std::size(kNames))
      break;
    Numbers numbers;
    std::memcpy(&numbers, array->data, sizeof numbers);
    if (numbers.directions < 1 || numbers.directions > 2 || numbers.threads < 1) break;
    return numbers;
  }
  throw std::invalid_argument(
      "a layer is told by the numbers of `_core.xla_numbers`, as many and in their order");
}

using Dims = std::vector<Index>;

// Reads arrays one after the other, and refuses those that are not what must come next.
class Reader {
 public:
  // Of results, memory is asked for in large pages: XLA takes it afresh at every call.
  explicit Reader(const xla_ffi::Values& values, bool results = false) : values_(values), results_(results) {}

  const xla_ffi::Buffer& next(xla_ffi::DataType type) {
    if (at_ >= values_.count || values_.types[at_] != xla_ffi::ValueType::kBuffer) refuse();
    const auto& buffer = *static_cast<const xla_ffi::Buffer*>(values_.values[at_]);
    if (buffer.type != type) refuse();
    ++at_;
    return buffer;
  }
  float* floats(const Dims& dims) {
    const auto& buffer = next(xla_ffi::DataType::kF32);
    if (!std::equal(dims.begin(), dims.end(), buffer.dims, buffer.dims + buffer.rank)) refuse();
    const Index bytes =
        sizeof(float) * std::accumulate(dims.begin(), dims.end(), Index{1}, std::multiplies<>());
    if (results_ && bytes >= kLarge) sluicegate::prefer_large_pages(buffer.data, bytes);
    return static_cast<float*>(buffer.data);
  }
  // Null where it is not given.
  float* floats_if(bool given, const Dims& dims) { return given ? floats(dims) : nullptr; }
  void end() const {
    if (at_ != values_.count) refuse();
  }

 private:
  [[noreturn]] void refuse() const {
    throw std::invalid_argument("array " + std::to_string(at_) +
                                " of a layer's call is not of the type and shape that come there: call it by "
                                "the functions of `sluicegate.jax`");
  }
  const xla_ffi::Values& values_;
  const bool results_;
  Index at_ = 0;
};

// How many steps each row has, from the longest to the shortest, and which row it is.
struct Rows {
  std::vector<Index> lengths, order;

  Rows(const xla_ffi::Buffer& buffer, Index batch, Index steps) : lengths(batch), order(batch) {
    if (buffer.rank != 1 || buffer.dims[0] != batch)
      throw std::invalid_argument("`lengths` must be a whole number for each row");
    const auto* given = static_cast<const std::int32_t*>(buffer.data);
    for (Index row = 0; row < batch; ++row)
      if (given[row] < 0 || given[row] > steps)
        throw std::invalid_argument("`lengths[" + std::to_string(row) + "]` (=" + std::to_string(given[row]) +
                                    ") must be from 0 to " + std::to_string(steps) +
                                    ", the steps of `x`: pad `x` to the longest row");
    std::iota(order.begin(), order.end(), Index{0});
    std::ranges::stable_sort(order, std::greater<>(), [&](Index row) { return given[row]; });
    std::ranges::transform(order, lengths.begin(), [&](Index row) { return Index{given[row]}; });
  }
};

// What both passes read.
struct Layer {
  Numbers numbers;
  sluicegate::Call call;
  Index steps = 0, batch = 0, input = 0, hidden = 0;
  std::optional<Rows> rows;  // none where every row has all steps

  explicit Layer(const Numbers& given) : numbers(given) {
    call.shape = arguments::shape_of({given.cell, given.activation, 0, 0, given.precision});
    call.directions = static_cast<int>(given.directions);
    call.direction[0].reverse = given.reverse != 0;
    call.direction[1].reverse = true;
    call.threads = static_cast<int>(given.threads);
  }
  void read_input(Reader& read) {
    const auto& x = read.next(xla_ffi::DataType::kF32);
    if (x.rank != 3) throw std::invalid_argument("the input of a layer has 3 axes");
    steps = x.dims[numbers.batch_first ? 1 : 0];
    batch = x.dims[numbers.batch_first ? 0 : 1];
    input = x.dims[2];
    call.input = grid(static_cast<const float*>(x.data), input);
  }
  void read_weights(Reader& read) {
    const Index gates = call.shape.gates();
    for (int i = 0; i < call.directions; ++i) {
      auto& weights = call.direction[i].weights;
      const auto& first = read.next(xla_ffi::DataType::kF32);
      if (i == 0 && first.rank == 2) hidden = first.dims[0] / gates;
      if (first.rank != 2 || first.dims[0] != gates * hidden || first.dims[1] != input)
        throw std::invalid_argument("the weights of a layer are not those of its input");
      weights.input = static_cast<const float*>(first.data);
      weights.hidden = read.floats_if(recurrent(), {gates * hidden, hidden});
      weights.input_bias = read.floats_if(numbers.biased, {gates * hidden});
      weights.hidden_bias = read.floats_if(numbers.biased && recurrent(), {gates * hidden});
    }
    call.shape = arguments::shape_of({numbers.cell, numbers.activation, input, hidden, numbers.precision});
  }
  void read_states(Reader& read) {
    put(read.floats_if(numbers.states, states()), &sluicegate::Direction::h0);
    put(read.floats_if(numbers.states && has_cell_state(), states()), &sluicegate::Direction::c0);
  }
  void read_lengths(Reader& read) {
    call.sequences = {steps, batch};
    if (!numbers.lengths) return;
    rows.emplace(read.next(xla_ffi::DataType::kS32), batch, steps);
    call.sequences.lengths = rows->lengths.data();
    call.sequences.order = rows->order.data();
  }

  bool recurrent() const { return call.shape.recurrent(); }
  bool has_cell_state() const { return call.shape.traits().has_cell_state(); }
  Dims states() const { return {call.directions, batch, hidden}; }
  Dims outputs() const {
    const Index features = call.directions * hidden;
    return numbers.batch_first ? Dims{batch, steps, features} : Dims{steps, batch, features};
  }
  Dims inputs() const { return numbers.batch_first ? Dims{batch, steps, input} : Dims{steps, batch, input}; }
  Dims saved() const { return {call.directions, steps * batch, call.shape.saved() * hidden}; }

  // Tells each direction of its part of an array that has both, where there is one.
  template <class T>
  void put(float* data, T sluicegate::Direction::* member) {
    put(data, batch * hidden, member);
  }
  template <class T>
  void put(float* data, Index floats, T sluicegate::Direction::* member) {
    for (int i = 0; data != nullptr && i < call.directions; ++i)
      call.direction[i].*member = data + i * floats;
  }
  template <class T>
  void put_outputs(T* data, sluicegate::Grid<T> sluicegate::Direction::* member) {
    for (int i = 0; data != nullptr && i < call.directions; ++i)
      call.direction[i].*member = grid(data + i * hidden, call.directions * hidden);
  }
  template <class T>
  sluicegate::Grid<T> grid(T* data, Index features) const {
    return numbers.batch_first ? sluicegate::Grid<T>{data, features, steps * features}
                               : sluicegate::Grid<T>{data, batch * features, features};
  }
  // Whether the weights are read as they lie, which takes less time than to lay them out.
  bool as_they_lie(Index most) const {
    const bool few = steps == 1 ? batch <= most : steps <= kBriefSteps && steps * batch <= kBriefRows;
    return few && recurrent() && call.shape.precision == sluicegate::Precision::kFp32;
  }
  // Outputs of steps that are not part of their row are zero, and no kernel writes them.
  void clear(float* data, Index features) const {
    if (numbers.lengths && data != nullptr) std::fill_n(data, steps * batch * features, 0.0f);
  }
};

void forward(const Numbers& numbers, const xla_ffi::Values& arguments, const xla_ffi::Values& results) {
  using sluicegate::Direction;
  Layer layer(numbers);
  Reader read(arguments), write(results, true);
  layer.read_input(read);
  layer.read_weights(read);
  layer.read_states(read);
  layer.read_lengths(read);
  read.end();
  float* const output = write.floats(layer.outputs());
  layer.clear(output, numbers.directions * layer.hidden);
  layer.put_outputs(output, &Direction::output);
  layer.put(write.floats(layer.states()), &Direction::h_n);
  layer.put(write.floats_if(layer.has_cell_state(), layer.states()), &Direction::c_n);
  const Dims saved = layer.saved();
  layer.put(write.floats_if(numbers.keep && saved[2] > 0, saved), saved[1] * saved[2], &Direction::saved);
  write.end();
  const auto& kernels = sluicegate::kernels();
  const bool lay_out = !layer.as_they_lie(kForwardRows);
  const Index floats = lay_out ? sluicegate::Memory::padded(kernels.forward_panels(layer.call.shape)) : 0;
  sluicegate::Scratch room(floats * numbers.directions);
  for (int i = 0; lay_out && i < layer.call.directions; ++i) {
    float* const panels = room.take(floats);
    kernels.pack_forward(layer.call.shape, layer.call.direction[i].weights, panels);
    layer.call.direction[i].panels = panels;
  }
  kernels.forward(layer.call);
}

// Where the backward pass finds h of every step: in what was kept, or else in the outputs.
void read_kept(Layer& layer, Reader& read) {
  using sluicegate::Direction;
  const Dims saved = layer.saved();
  const bool kept = saved[2] > 0, by_output = !layer.call.shape.traits().saves_state();
  if (by_output) layer.put_outputs(read.floats(layer.outputs()), &Direction::output);
  layer.put(read.floats_if(kept, saved), saved[1] * saved[2], &Direction::saved);
  for (int i = 0; !by_output && i < layer.call.directions; ++i) {
    auto& d = layer.call.direction[i];
    d.output = {d.saved + saved[2] - layer.hidden, layer.batch * saved[2], saved[2]};
  }
}

void write_weights(Layer& layer, Reader& write) {
  const Index gates = layer.call.shape.gates() * layer.hidden;
  const bool recurrent = layer.recurrent(), biased = layer.numbers.biased;
  for (int i = 0; i < layer.call.directions; ++i) {
    auto& d = layer.call.direction[i];
    d.input_weight_gradient = write.floats({gates, layer.input});
    d.hidden_weight_gradient = write.floats_if(recurrent, {gates, layer.hidden});
    d.input_bias_gradient = write.floats_if(biased, {gates});
    d.hidden_bias_gradient = write.floats_if(biased && recurrent, {gates});
  }
}

// Lays out the weights where that is worth it, and computes. Two directions at once cannot add to one `d_x`:
// the second has its own.
void run_backward(Layer& layer, float* d_x) {
  auto& call = layer.call;
  const auto& kernels = sluicegate::kernels();
  const bool lay_out = !layer.as_they_lie(kBackwardRows), two = call.directions == 2 && d_x != nullptr;
  const auto padded = [](Index floats) { return sluicegate::Memory::padded(floats); };
  const Index panels = lay_out ? padded(kernels.backward_panels(call.shape)) : 0;
  const Index forward = layer.recurrent() ? 0 : padded(kernels.forward_panels(call.shape));
  const Index inputs = layer.steps * layer.batch * layer.input;
  sluicegate::Scratch room((panels + forward) * call.directions + (two ? padded(inputs) : 0));
  float* const second = two ? room.take(inputs) : nullptr;
  for (int i = 0; i < call.directions; ++i) {
    auto& d = call.direction[i];
    float* const own = i == 0 ? d_x : second;
    layer.clear(own, layer.input);
    if (own != nullptr) d.input_gradient = layer.grid(own, layer.input);
    if (float* const at = forward ? room.take(forward) : nullptr) {
      kernels.pack_forward(call.shape, d.weights, at);
      d.panels = at;
    }
    if (float* const at = panels ? room.take(panels) : nullptr) {
      kernels.pack_backward(call.shape, d.weights, at);
      d.backward_panels = at;
    }
  }
  kernels.backward(call);
  for (Index i = 0; two && i < inputs; ++i) d_x[i] += second[i];
}

void backward(const Numbers& numbers, const xla_ffi::Values& arguments, const xla_ffi::Values& results) {
  using sluicegate::Direction;
  Layer layer(numbers);
  Reader read(arguments), write(results, true);
  layer.read_input(read);
  layer.read_weights(read);
  layer.read_states(read);
  layer.read_lengths(read);
  read_kept(layer, read);
  const bool cell_state = layer.has_cell_state();
  layer.put_outputs<const float>(read.floats_if(numbers.d_output, layer.outputs()),
                                 &Direction::output_gradient);
  layer.put(read.floats_if(numbers.d_h_n, layer.states()), &Direction::h_n_gradient);
  layer.put(read.floats_if(numbers.d_c_n && cell_state, layer.states()), &Direction::c_n_gradient);
  read.end();
  float* const d_x = write.floats_if(numbers.d_x, layer.inputs());
  write_weights(layer, write);
  layer.put(write.floats_if(numbers.states, layer.states()), &Direction::h0_gradient);
  layer.put(write.floats_if(numbers.states && cell_state, layer.states()), &Direction::c0_gradient);
  write.end();
  run_backward(layer, d_x);
}

// Answers what XLA asks of a handler when it gets to know it.
bool told_metadata(const xla_ffi::CallFrame& frame) {
  for (const auto* asked = frame.extensions; asked != nullptr; asked = asked->next)
    if (asked->type == xla_ffi::ExtensionType::kMetadata) {
      auto& metadata = *reinterpret_cast<const xla_ffi::MetadataExtension*>(asked)->metadata;
      metadata.version.major = xla_ffi::kMajor;
      metadata.version.minor =
          frame.api == nullptr ? xla_ffi::kMinor : std::min(xla_ffi::kMinor, frame.api->version.minor);
      metadata.traits = 0;
      return true;
    }
  return false;
}

template <void (*Compute)(const Numbers&, const xla_ffi::Values&, const xla_ffi::Values&)>
xla_ffi::Error* handler(xla_ffi::CallFrame* frame) {
  if (told_metadata(*frame)) return nullptr;
  std::string wrong;
  try {
    Compute(numbers_of(frame->attributes), frame->arguments, frame->results);
    return nullptr;
  } catch (const std::exception& error) {
    wrong = error.what();
  }
  xla_ffi::ErrorDetails details{sizeof details, nullptr, wrong.c_str(), xla_ffi::ErrorCode::kInvalidArgument};
  return frame->api->create_error(&details);
}

nb::capsule capsule(xla_ffi::Handler* function) {
  return nb::capsule(reinterpret_cast<void*>(function), "xla._CUSTOM_CALL_TARGET");
}

}  // namespace

void bind_xla(nb::module_& m) {
  m.def(
      "xla_handlers",
      [] {
        nb::dict found;
        found["forward"] = capsule(handler<forward>);
        found["backward"] = capsule(handler<backward>);
        return found;
      },
      nb::sig("def xla_handlers() -> dict[str, typing.Any]"),
      "Give the functions by which XLA computes a layer and its gradients, as capsules.");
  m.def(
      "xla_numbers", [] { return std::vector<std::string>(std::begin(kNames), std::end(kNames)); },
      "List the numbers by which a call from XLA says what it is about, in their order.");
}
