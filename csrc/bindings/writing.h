// What networks that write ask for beside their layers.
#pragma once

#include <nanobind/nanobind.h>

void bind_writing(nanobind::module_& m);
