#define SLUICEGATE_ISA quantized_vnni
#define SLUICEGATE_SIMD "simd/avx512.h"
#define SLUICEGATE_DOT "simd/dot_vnni.h"
#include "kernels/quantized.h"

namespace sluicegate {

extern const QuantizedKernels quantized_vnni_kernels;
const QuantizedKernels quantized_vnni_kernels = quantized_vnni::quantized_table("avx512_vnni");

}  // namespace sluicegate
