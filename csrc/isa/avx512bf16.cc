#define SLUICEGATE_ISA avx512_bf16
#define SLUICEGATE_SIMD "simd/avx512.h"
#define SLUICEGATE_BF16 "simd/avx512bf16.h"
#include "kernels/recurrent.h"

namespace sluicegate {

extern const Kernels kernels_avx512;
extern const Kernels kernels_avx512_bf16;

namespace {

namespace ours = avx512_bf16;

// The kernels for floats are those of AVX-512, which need not be compiled twice.
bool are_floats(const Shape& shape) { return shape.precision == Precision::kFp32; }

Index forward_panels(const Shape& shape) {
  return are_floats(shape) ? kernels_avx512.forward_panels(shape) : ours::forward_panels(shape);
}
Index backward_panels(const Shape& shape) {
  return are_floats(shape) ? kernels_avx512.backward_panels(shape) : ours::backward_panels(shape);
}
void pack_forward(const Shape& shape, const Weights& weights, float* panels) {
  (are_floats(shape) ? kernels_avx512.pack_forward : ours::pack_forward)(shape, weights, panels);
}
void pack_backward(const Shape& shape, const Weights& weights, float* panels) {
  (are_floats(shape) ? kernels_avx512.pack_backward : ours::pack_backward)(shape, weights, panels);
}
void forward(const Call& call) { (are_floats(call.shape) ? kernels_avx512.forward : ours::forward)(call); }
void backward(const Call& call) { (are_floats(call.shape) ? kernels_avx512.backward : ours::backward)(call); }

constexpr Kernels both() {
  Kernels kernels = ours::table("avx512_bf16");
  kernels.forward_panels = forward_panels;
  kernels.backward_panels = backward_panels;
  kernels.pack_forward = pack_forward;
  kernels.pack_backward = pack_backward;
  kernels.forward = forward;
  kernels.backward = backward;
  return kernels;
}

}  // namespace

const Kernels kernels_avx512_bf16 = both();

}  // namespace sluicegate
