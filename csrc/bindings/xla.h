// A layer as calls from programs that XLA compiles, which is how JAX has it.
#pragma once

#include <nanobind/nanobind.h>

void bind_xla(nanobind::module_& m);
