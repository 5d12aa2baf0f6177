// A step of a cell in one call from Python.
#pragma once

#include <nanobind/nanobind.h>

void bind_cell(nanobind::module_& m);
