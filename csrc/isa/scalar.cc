#define SLUICEGATE_ISA scalar
#define SLUICEGATE_SIMD "simd/scalar.h"
#define SLUICEGATE_BF16 "simd/bf16_shifted.h"
#include "kernels/recurrent.h"

namespace sluicegate {

extern const Kernels kernels_scalar;
const Kernels kernels_scalar = scalar::table("scalar");

}  // namespace sluicegate
