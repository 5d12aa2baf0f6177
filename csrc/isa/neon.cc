#define SLUICEGATE_ISA neon
#define SLUICEGATE_SIMD "simd/neon.h"
#define SLUICEGATE_BF16 "simd/bf16_shifted.h"
#include "kernels/recurrent.h"

namespace sluicegate {

extern const Kernels kernels_neon;
const Kernels kernels_neon = neon::table("neon");

}  // namespace sluicegate
