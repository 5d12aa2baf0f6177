#define SLUICEGATE_ISA avx512_bf16
#define SLUICEGATE_SIMD "simd/avx512.h"
#define SLUICEGATE_BF16 "simd/avx512bf16.h"
#include "isa/by_precision.h"
#include "kernels/recurrent.h"

namespace sluicegate {

extern const Kernels kernels_avx512;
extern const Kernels kernels_avx512_bf16;

namespace {
constexpr Kernels kRounded = avx512_bf16::table("avx512_bf16");
}  // namespace

const Kernels kernels_avx512_bf16 = ByPrecision<kernels_avx512, kRounded>::within(kRounded);

}  // namespace sluicegate
