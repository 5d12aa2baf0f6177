#include "describe.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <map>

#include "arguments.h"

namespace nb = nanobind;

namespace {

using sluicegate::CellTraits;

template <class T, std::size_t N>
std::vector<std::string> names_of(const arguments::Argument<T> (&list)[N]) {
  std::vector<std::string> names;
  for (const auto& argument : list) names.emplace_back(argument.name);
  return names;
}

std::map<std::string, std::vector<std::string>> all_names() {
  return {{"shape", names_of(arguments::kShape)},     {"sequences", names_of(arguments::kSequences)},
          {"grid", names_of(arguments::kGrid)},       {"weights", names_of(arguments::kWeights)},
          {"forward", names_of(arguments::kForward)}, {"backward", names_of(arguments::kBackward)}};
}

std::vector<CellTraits> all_cells() { return {std::begin(sluicegate::kCells), std::end(sluicegate::kCells)}; }

}  // namespace

void bind_descriptions(nb::module_& m) {
  nb::class_<CellTraits>(m, "CellTraits", "What a cell is to the kernels.")
      .def_ro("name", &CellTraits::name, "as the operators have it")
      .def_prop_ro(
          "gates", [](const CellTraits& c) { return c.gates.text; },
          "a letter for each part of the rows of a weight, in their order")
      .def_prop_ro(
          "saved", [](const CellTraits& c) { return c.saved.text; },
          "a letter for each number that training keeps of a unit and a step; if the last is not h, the "
          "backward pass finds h in the outputs")
      .def_prop_ro(
          "state", [](const CellTraits& c) { return c.state.text; }, "h, or hc")
      .def_ro("recurrent", &CellTraits::recurrent, "whether there are recurrent weights and biases")
      .def_ro("activation", &CellTraits::activation, "whether anything goes through the activation");
  m.def("cells", &all_cells, "List the cells, in the order of their numbers.");
  m.def(
      "arguments", &all_names,
      "List the numbers that the kernels take, in their order: of a `shape`, of `sequences`, of a `grid`, of "
      "`weights`, and of a direction in the `forward` pass, and what it has beside these in the `backward` "
      "pass.");
}
