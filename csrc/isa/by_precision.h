// Kernels that are of one instruction set for floats and of another in bfloat16: neither is compiled twice.
#pragma once

#include "sluicegate/recurrent.h"

namespace sluicegate {

template <const Kernels& kFp32, const Kernels& kBf16>
struct ByPrecision {
  static const Kernels& of(const Shape& shape) { return shape.precision == Precision::kFp32 ? kFp32 : kBf16; }
  static Index forward_panels(const Shape& shape) { return of(shape).forward_panels(shape); }
  static Index backward_panels(const Shape& shape) { return of(shape).backward_panels(shape); }
  static void pack_forward(const Shape& shape, const Weights& weights, float* panels) {
    of(shape).pack_forward(shape, weights, panels);
  }
  static void pack_backward(const Shape& shape, const Weights& weights, float* panels) {
    of(shape).pack_backward(shape, weights, panels);
  }
  static void forward(const Call& call) { of(call.shape).forward(call); }
  static void backward(const Call& call) { of(call.shape).backward(call); }
  // These know no bfloat16.
  static Index product_panels(Index depth, Index columns) { return kFp32.product_panels(depth, columns); }
  static void pack_product(const float* weights, const float* bias, Index depth, Index columns,
                           float* panels) {
    kFp32.pack_product(weights, bias, depth, columns, panels);
  }
  static void product(const Product& call) { kFp32.product(call); }
  static void attend(const Attention& call) { kFp32.attend(call); }
  static void log_sums(const float* rows, Index number, Index count, Index row, float* out, int threads) {
    kFp32.log_sums(rows, number, count, row, out, threads);
  }

  // The table of kernels, with these in the place of its own.
  static constexpr Kernels within(Kernels table) {
    table.forward_panels = forward_panels;
    table.backward_panels = backward_panels;
    table.pack_forward = pack_forward;
    table.pack_backward = pack_backward;
    table.forward = forward;
    table.backward = backward;
    table.product_panels = product_panels;
    table.pack_product = pack_product;
    table.product = product;
    table.attend = attend;
    table.log_sums = log_sums;
    return table;
  }
};

}  // namespace sluicegate
