// What Python is told of the kernels: the cells, and the order of their arguments.
#pragma once

#include <nanobind/nanobind.h>

void bind_descriptions(nanobind::module_& m);
