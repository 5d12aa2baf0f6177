#define SLUICEGATE_ISA quantized_avx2
#define SLUICEGATE_SIMD "simd/avx2.h"
#define SLUICEGATE_DOT "simd/dot_avx2.h"
#include "kernels/quantized.h"

namespace sluicegate {

extern const QuantizedKernels quantized_avx2_kernels;
const QuantizedKernels quantized_avx2_kernels = quantized_avx2::quantized_table("avx2");

}  // namespace sluicegate
