#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <stdexcept>

#include "arguments.h"
#include "cell.h"
#include "describe.h"
#include "quantized.h"
#include "sluicegate/cpu.h"
#include "sluicegate/recurrent.h"
#include "sluicegate/scratch.h"
#include "sluicegate/threads.h"
#include "step.h"
#include "writing.h"
#include "xla.h"

namespace nb = nanobind;

namespace {

using sluicegate::Index;

using arguments::DirectionNumbers, arguments::GridNumbers, arguments::SequenceNumbers, arguments::shape_of,
    arguments::ShapeNumbers, arguments::WeightNumbers;

using Address = std::uintptr_t;

template <class T>
T* pointer(Address address) {
  return reinterpret_cast<T*>(address);  // NOLINT(performance-no-int-to-ptr)
}

sluicegate::Call call_of(const ShapeNumbers& shape, const SequenceNumbers& sequences,
                         const GridNumbers& input, const std::vector<DirectionNumbers>& directions,
                         Index every, int threads) {
  sluicegate::Call call;
  call.shape = shape_of(shape);
  call.sequences = arguments::made_of(arguments::kSequences, sequences);
  call.input = arguments::made_of(arguments::kGrid, input);
  call.every = every;
  call.threads = threads;
  if (threads < 1) throw std::invalid_argument("there is one thread at least");
  if (directions.empty() || directions.size() > 2)
    throw std::invalid_argument("a layer has one direction or two");
  call.directions = static_cast<int>(directions.size());
  for (int i = 0; i < call.directions; ++i) {
    call.direction[i].reverse = i == 1;
    arguments::put_direction(directions[i], call.direction[i]);
  }
  return call;
}

void pack(bool backward, const ShapeNumbers& shape, const WeightNumbers& weights, Address panels) {
  const sluicegate::Weights w = arguments::made_of(arguments::kWeights, weights);
  const auto& kernels = sluicegate::kernels();
  (backward ? kernels.pack_backward : kernels.pack_forward)(shape_of(shape), w, pointer<float>(panels));
}

double fma_rate() {
  using clock = std::chrono::steady_clock;
  double best = 0;
  for (int trial = 0; trial < 9; ++trial) {
    const auto begin = clock::now();
    const double operations = sluicegate::kernels().multiply_adds(1000000);
    best = std::max(best, operations / std::chrono::duration<double>(clock::now() - begin).count());
  }
  return best / 1e9;
}

}  // namespace

NB_MODULE(_core, m) {
  m.doc() = "The compiled part of Sluicegate.";
  sluicegate::survive_forks();

  nb::class_<sluicegate::CpuInfo>(m, "CpuInfo", "What the processor can do.")
      .def_ro("architecture", &sluicegate::CpuInfo::architecture, "x86_64, aarch64 or unknown")
      .def_ro("brand", &sluicegate::CpuInfo::brand, "what the processor calls itself, or an empty string")
      .def_ro("features", &sluicegate::CpuInfo::features,
              "instruction sets that both processor and operating system allow")
      .def_ro("best_isa", &sluicegate::CpuInfo::best_isa, "scalar, avx2, avx512, avx512_bf16 or neon");

  m.def("cpu_info", &sluicegate::cpu_info, nb::rv_policy::copy, "Describe the processor; it is probed once.");

  m.def(
      "isa", [] { return std::string(sluicegate::kernels().name); },
      "Name the instruction set of the kernels in use: the best there is, or that of the variable "
      "SLUICEGATE_ISA.");
  m.def(
      "use_isa",
      [](const std::string& name) {
        const auto* chosen = sluicegate::find_kernels(name.c_str());
        if (chosen == nullptr)
          throw std::invalid_argument("there are no kernels for '" + name + "' that can run here");
        sluicegate::use_kernels(*chosen);
      },
      nb::arg("name"), "Use the kernels of another instruction set from now on: for tests and comparisons.");
  m.def("fma_rate", &fma_rate, nb::call_guard<nb::gil_scoped_release>(),
        "Measure what one thread can do at most, in GFLOP/s: multiply-adds that never leave the registers.");

  m.def(
      "panel_floats",
      [](bool backward, const ShapeNumbers& shape) {
        const auto& kernels = sluicegate::kernels();
        return (backward ? kernels.backward_panels : kernels.forward_panels)(shape_of(shape));
      },
      nb::arg("backward"), nb::arg("shape"), "Count the floats that `pack` writes.");
  m.def("pack", &pack, nb::arg("backward"), nb::arg("shape"), nb::arg("weights"), nb::arg("panels"),
        nb::call_guard<nb::gil_scoped_release>(), "Lay out weights for the forward or the backward pass.");
  m.def(
      "fingerprint",
      [](const std::vector<std::array<Index, 2>>& arrays) {
        std::uint64_t all = 0;
        for (const auto& [data, count] : arrays)
          all = all * 0x9e3779b97f4a7c15u +
                sluicegate::kernels().fingerprint(pointer<const float>(data), count);
        return all;
      },
      nb::arg("arrays"), nb::call_guard<nb::gil_scoped_release>(),
      "Compute a number that differs when the floats do, of arrays given by address and count.");
  m.def(
      "forward",
      [](const ShapeNumbers& shape, const SequenceNumbers& sequences, const GridNumbers& input,
         const std::vector<DirectionNumbers>& directions, Index every, int threads) {
        sluicegate::kernels().forward(call_of(shape, sequences, input, directions, every, threads));
      },
      nb::arg("shape"), nb::arg("sequences"), nb::arg("input"), nb::arg("directions"), nb::arg("every"),
      nb::arg("threads"), nb::call_guard<nb::gil_scoped_release>(), "Compute a layer.");
  m.def(
      "backward",
      [](const ShapeNumbers& shape, const SequenceNumbers& sequences, const GridNumbers& input,
         const std::vector<DirectionNumbers>& directions, Index every, int threads) {
        sluicegate::kernels().backward(call_of(shape, sequences, input, directions, every, threads));
      },
      nb::arg("shape"), nb::arg("sequences"), nb::arg("input"), nb::arg("directions"), nb::arg("every"),
      nb::arg("threads"), nb::call_guard<nb::gil_scoped_release>(), "Compute the gradients of a layer.");
  m.def(
      "prefer_large_pages",
      [](Address begin, Index bytes) { sluicegate::prefer_large_pages(pointer<void>(begin), bytes); },
      nb::arg("begin"), nb::arg("bytes"), "Tell the system that fresh memory is better had in large pages.");
  m.def(
      "activate",
      [](const std::string& function, Address in, Address out, Index count) {
        const auto& kernels = sluicegate::kernels();
        (function == "tanh" ? kernels.tanh : kernels.sigmoid)(pointer<const float>(in), pointer<float>(out),
                                                              count);
      },
      nb::arg("function"), nb::arg("input"), nb::arg("output"), nb::arg("count"),
      "Apply the kernels' sigmoid or tanh to so many numbers.");

  bind_cell(m);
  bind_quantized(m);
  bind_step(m);
  bind_writing(m);
  bind_descriptions(m);
  bind_xla(m);
}
