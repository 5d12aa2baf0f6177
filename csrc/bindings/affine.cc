#include "affine.h"

#include "sluicegate/recurrent.h"

namespace nb = nanobind;

namespace {

using sluicegate::Affine, sluicegate::Attend, sluicegate::Index;

// Addresses come as numbers, as those of layers do: `sluicegate.ops.affine_calls` checks what they are of.
using Address = std::uintptr_t;

template <class T>
T* pointer(Address address) {
  return reinterpret_cast<T*>(address);  // NOLINT(performance-no-int-to-ptr)
}

Affine weights_of(Index in, Index out, Address weight, Address bias) {
  Affine call;
  call.in = in;
  call.out = out;
  call.weight = pointer<const float>(weight);
  call.bias = pointer<const float>(bias);
  return call;
}

}  // namespace

void bind_affine(nb::module_& m) {
  m.def(
      "affine_panels", [](Index in, Index out) { return sluicegate::kernels().affine_panels(in, out); },
      nb::arg("inputs"), nb::arg("outputs"), "Count the floats that `pack_affine` writes.");
  m.def(
      "pack_affine",
      [](Index in, Index out, Address weight, Address bias, Address panels) {
        sluicegate::kernels().pack_affine(weights_of(in, out, weight, bias), pointer<float>(panels));
      },
      nb::arg("inputs"), nb::arg("outputs"), nb::arg("weight"), nb::arg("bias"), nb::arg("panels"),
      nb::call_guard<nb::gil_scoped_release>(), "Lay out a weight and a bias for `affine`.");
  m.def(
      "affine",
      [](Index rows, Index in, Index out, Address weight, Address bias, Address panels, Address x,
         Index x_stride, Address y, Index y_stride, int threads) {
        Affine call = weights_of(in, out, weight, bias);
        call.rows = rows;
        call.panels = pointer<const float>(panels);
        call.x = pointer<const float>(x);
        call.x_stride = x_stride;
        call.y = pointer<float>(y);
        call.y_stride = y_stride;
        call.threads = threads;
        sluicegate::kernels().affine(call);
      },
      nb::arg("rows"), nb::arg("inputs"), nb::arg("outputs"), nb::arg("weight"), nb::arg("bias"),
      nb::arg("panels"), nb::arg("x"), nb::arg("x_stride"), nb::arg("y"), nb::arg("y_stride"),
      nb::arg("threads"), nb::call_guard<nb::gil_scoped_release>(),
      "Compute an affine map of rows; of panels, or of a weight and a bias.");
  m.def(
      "attend",
      [](Index batch, Index queries, Index steps, Index hidden, Index memory_size, Address query,
         Address keys, Address score, Address memory, Address lengths, Address weights, Address context,
         int threads) {
        Attend call;
        call.batch = batch;
        call.queries = queries;
        call.steps = steps;
        call.hidden = hidden;
        call.memory_size = memory_size;
        call.query = pointer<const float>(query);
        call.keys = pointer<const float>(keys);
        call.score = pointer<const float>(score);
        call.memory = pointer<const float>(memory);
        call.lengths = pointer<const Index>(lengths);
        call.weights = pointer<float>(weights);
        call.context = pointer<float>(context);
        call.threads = threads;
        sluicegate::kernels().attend(call);
      },
      nb::arg("batch"), nb::arg("queries"), nb::arg("steps"), nb::arg("hidden"), nb::arg("memory_size"),
      nb::arg("query"), nb::arg("keys"), nb::arg("score"), nb::arg("memory"), nb::arg("lengths"),
      nb::arg("weights"), nb::arg("context"), nb::arg("threads"), nb::call_guard<nb::gil_scoped_release>(),
      "Compute additive attention.");
}
