#define SLUICEGATE_ISA quantized_avx512
#define SLUICEGATE_SIMD "simd/avx512.h"
#define SLUICEGATE_DOT "simd/dot_avx512.h"
#include "kernels/quantized.h"

namespace sluicegate {

extern const QuantizedKernels quantized_avx512_kernels;
const QuantizedKernels quantized_avx512_kernels = quantized_avx512::quantized_table("avx512");

}  // namespace sluicegate
