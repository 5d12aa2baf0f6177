#define SLUICEGATE_ISA quantized_scalar
#define SLUICEGATE_SIMD "simd/scalar.h"
#define SLUICEGATE_DOT "simd/dot_scalar.h"
#include "kernels/quantized.h"

namespace sluicegate {

extern const QuantizedKernels quantized_scalar_kernels;
const QuantizedKernels quantized_scalar_kernels = quantized_scalar::quantized_table("scalar");

}  // namespace sluicegate
