#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "sluicegate/cpu.h"

namespace nb = nanobind;

NB_MODULE(_core, m) {
  m.doc() = "The compiled part of Sluicegate.";

  nb::class_<sluicegate::CpuInfo>(m, "CpuInfo", "What the processor can do.")
      .def_ro("architecture", &sluicegate::CpuInfo::architecture, "x86_64, aarch64 or unknown")
      .def_ro("brand", &sluicegate::CpuInfo::brand, "what the processor calls itself, or an empty string")
      .def_ro("features", &sluicegate::CpuInfo::features,
              "instruction sets that both processor and operating system allow")
      .def_ro("best_isa", &sluicegate::CpuInfo::best_isa, "scalar, avx2, avx512 or neon");

  m.def("cpu_info", &sluicegate::cpu_info, nb::rv_policy::copy, "Describe the processor; it is probed once.");
}
