#define SLUICEGATE_ISA avx2
#define SLUICEGATE_SIMD "simd/avx2.h"
#define SLUICEGATE_BF16 "simd/bf16_shifted.h"
#include "kernels/recurrent.h"

namespace sluicegate {

extern const Kernels kernels_avx2;
const Kernels kernels_avx2 = avx2::table("avx2");

}  // namespace sluicegate
