#define SLUICEGATE_ISA quantized_neon
#define SLUICEGATE_SIMD "simd/neon.h"
#define SLUICEGATE_DOT "simd/dot_neon.h"
#include "kernels/quantized.h"

namespace sluicegate {

extern const QuantizedKernels quantized_neon_kernels;
const QuantizedKernels quantized_neon_kernels = quantized_neon::quantized_table("neon");

}  // namespace sluicegate
