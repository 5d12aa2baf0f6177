#define SLUICEGATE_ISA avx2
#define SLUICEGATE_SIMD "simd/avx2.h"
#include "kernels/recurrent.h"

namespace sluicegate {

extern const Kernels kernels_avx2;
const Kernels kernels_avx2 = avx2::table("avx2");

}  // namespace sluicegate
