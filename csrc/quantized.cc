#include "sluicegate/quantized.h"

#include <algorithm>
#include <string>

#include "sluicegate/cpu.h"
#include "sluicegate/recurrent.h"

namespace sluicegate {

#if defined(SLUICEGATE_X86)
#if !defined(SLUICEGATE_EMULATED)
extern const QuantizedKernels quantized_vnni_kernels;
extern const QuantizedKernels quantized_avx512_kernels;
#endif
extern const QuantizedKernels quantized_avx2_kernels;
#elif defined(SLUICEGATE_ARM)
extern const QuantizedKernels quantized_neon_kernels;
#endif
extern const QuantizedKernels quantized_scalar_kernels;

namespace {

struct Choice {
  const QuantizedKernels* kernels;
  const char* floats;   // the kernels for floats that are there where these can run
  const char* feature;  // what the processor must have beside, or null
};

// From the best to the one that runs anywhere.
constexpr Choice kCompiled[] = {
#if defined(SLUICEGATE_X86)
#if !defined(SLUICEGATE_EMULATED)
    {&quantized_vnni_kernels, "avx512", "avx512vnni"},
    {&quantized_avx512_kernels, "avx512", nullptr},
#endif
    {&quantized_avx2_kernels, "avx2", nullptr},
#elif defined(SLUICEGATE_ARM)
    {&quantized_neon_kernels, "neon", nullptr},
#endif
    {&quantized_scalar_kernels, "scalar", nullptr},
};

bool runs(const Choice& choice) {
  const auto& features = cpu_info().features;
  return find_kernels(choice.floats) != nullptr &&
         (choice.feature == nullptr ||
          std::find(features.begin(), features.end(), choice.feature) != features.end());
}

}  // namespace

const QuantizedKernels* find_quantized_kernels(const char* name) {
  for (const Choice& choice : kCompiled)
    if (choice.kernels->name == std::string(name) && runs(choice)) return choice.kernels;
  return nullptr;
}

const QuantizedKernels& quantized_kernels() {
  const std::string floats = kernels().name;
  for (const Choice& choice : kCompiled)
    if (runs(choice) && (floats == choice.floats || floats == std::string(choice.floats) + "_bf16"))
      return *choice.kernels;
#if defined(SLUICEGATE_X86)
  if (floats != "scalar") return quantized_avx2_kernels;
#endif
  return quantized_scalar_kernels;
}

}  // namespace sluicegate
