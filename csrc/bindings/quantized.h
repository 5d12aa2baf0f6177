// A layer in int8, with its weights laid out.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "sluicegate/quantized.h"

struct QuantizedLayer {
  sluicegate::QuantizedShape shape;
  const sluicegate::QuantizedKernels* kernels = nullptr;  // those that the panels were laid out for
  std::shared_ptr<void> panels;

  void forward(sluicegate::QuantizedCall call) const {
    call.shape = shape;
    call.panels = panels.get();
    kernels->forward(call);
  }
};

void bind_quantized(nanobind::module_& m);
