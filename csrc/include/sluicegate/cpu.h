// What the processor under us can do, found once.
#pragma once

#include <string>
#include <vector>

namespace sluicegate {

struct CpuInfo {
  std::string architecture;           // "x86_64", "aarch64" or "unknown"
  std::string brand;                  // what the processor calls itself; empty where it does not say
  std::vector<std::string> features;  // instruction sets that processor and operating system both allow
  std::string best_isa;               // "scalar", "avx2", "avx512", "avx512_bf16" or "neon"
};

// The processor's description. Safe to call from any thread; probes on the first call only.
const CpuInfo& cpu_info();

}  // namespace sluicegate
