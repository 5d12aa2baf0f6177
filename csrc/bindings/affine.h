#pragma once

#include <nanobind/nanobind.h>

// The kernels beside the recurrent layers: affine maps and attention.
void bind_affine(nanobind::module_& m);
