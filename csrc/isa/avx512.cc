#define SLUICEGATE_ISA avx512
#define SLUICEGATE_SIMD "simd/avx512.h"
#define SLUICEGATE_BF16 "simd/bf16_elsewhere.h"
#include "isa/by_precision.h"
#include "kernels/recurrent.h"

namespace sluicegate {

extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;

namespace {
constexpr Kernels kFloats = avx512::table("avx512");
}  // namespace

// By shifting, vectors twice as wide win little in bfloat16: those of AVX2 serve.
const Kernels kernels_avx512 = ByPrecision<kFloats, kernels_avx2>::within(kFloats);

}  // namespace sluicegate
