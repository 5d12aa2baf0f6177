#include "sluicegate/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <array>
#include <cstring>
#endif

namespace sluicegate {
namespace {

#if defined(__x86_64__)

// The 48 bytes that the processor calls itself, without the padding around them.
std::string brand_string() {
  std::array<unsigned, 12> words{};
  if (__get_cpuid_max(0x80000000u, nullptr) < 0x80000004u) return "";
  for (unsigned leaf = 0; leaf < 3; ++leaf) {
    unsigned* w = &words[4 * leaf];
    __get_cpuid(0x80000002u + leaf, w, w + 1, w + 2, w + 3);
  }
  char text[sizeof(words) + 1] = {};
  std::memcpy(text, words.data(), sizeof(words));
  std::string brand(text);
  const auto first = brand.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return brand.substr(first, brand.find_last_not_of(' ') - first + 1);
}

CpuInfo probe() {
  CpuInfo info;
  info.architecture = "x86_64";
  info.brand = brand_string();
  // __builtin_cpu_supports also asks XGETBV whether the system saves the wide registers.
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#if defined(SLUICEGATE_EMULATED)  // in the tests: see csrc/tests/emulated
  const bool avx512 = avx2, bf16 = avx2;
#else
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
#endif
  if (__builtin_cpu_supports("sse4.2")) info.features.push_back("sse4.2");
  if (__builtin_cpu_supports("avx")) info.features.push_back("avx");
  if (__builtin_cpu_supports("fma")) info.features.push_back("fma");
  if (__builtin_cpu_supports("avx2")) info.features.push_back("avx2");
  if (avx512) info.features.push_back("avx512");
  if (avx512 && __builtin_cpu_supports("avx512vnni")) info.features.push_back("avx512vnni");
  if (bf16) info.features.push_back("avx512bf16");
  info.best_isa = bf16 ? "avx512_bf16" : avx512 ? "avx512" : avx2 ? "avx2" : "scalar";
  return info;
}

#elif defined(__aarch64__)

CpuInfo probe() { return {"aarch64", "", {"neon"}, "neon"}; }

#else

CpuInfo probe() { return {"unknown", "", {}, "scalar"}; }

#endif

}  // namespace

const CpuInfo& cpu_info() {
  static const CpuInfo info = probe();
  return info;
}

}  // namespace sluicegate
