#define SLUICEGATE_ISA scalar
#define SLUICEGATE_SIMD "simd/scalar.h"
#include "kernels/recurrent.h"

namespace sluicegate {

extern const Kernels kernels_scalar;
const Kernels kernels_scalar = scalar::table("scalar");

}  // namespace sluicegate
