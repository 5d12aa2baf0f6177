#define SLUICEGATE_ISA avx512
#define SLUICEGATE_SIMD "simd/avx512.h"
#define SLUICEGATE_BF16 "simd/bf16_shifted.h"
#include "kernels/recurrent.h"

namespace sluicegate {

extern const Kernels kernels_avx512;
const Kernels kernels_avx512 = avx512::table("avx512");

}  // namespace sluicegate
