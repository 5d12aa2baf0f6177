#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "sluicegate/cpu.h"
#include "sluicegate/recurrent.h"

namespace sluicegate {

#if defined(SLUICEGATE_X86)
extern const Kernels kernels_avx512_bf16;
extern const Kernels kernels_avx512;
extern const Kernels kernels_avx2;
#elif defined(SLUICEGATE_ARM)
extern const Kernels kernels_neon;
#endif
extern const Kernels kernels_scalar;

namespace {

// From the best to the one that runs anywhere.
constexpr const Kernels* kCompiled[] = {
#if defined(SLUICEGATE_X86)
    &kernels_avx512_bf16,
    &kernels_avx512,
    &kernels_avx2,
#elif defined(SLUICEGATE_ARM)
    &kernels_neon,
#endif
    &kernels_scalar,
};

std::atomic<const Kernels*> in_use{nullptr};

// Whether the processor, whose best instruction set is `best`, runs the kernels. They stand in falling order.
bool runs(const Kernels* wanted, const std::string& best) {
  bool allowed = false;
  for (const Kernels* compiled : kCompiled) {
    allowed = allowed || best == compiled->name;
    if (compiled == wanted) return allowed;
  }
  return false;
}

const Kernels& choose() {
  const char* forced = std::getenv("SLUICEGATE_ISA");
  const std::string name = forced && *forced ? forced : cpu_info().best_isa;
  if (const Kernels* found = find_kernels(name.c_str())) return *found;
  std::string known;
  for (const Kernels* compiled : kCompiled)
    if (runs(compiled, cpu_info().best_isa)) known += std::string(known.empty() ? "" : ", ") + compiled->name;
  throw std::invalid_argument("the variable SLUICEGATE_ISA is '" + name +
                              "', which this processor cannot run: set it to one of " + known +
                              ", or leave it unset");
}

}  // namespace

const Kernels* find_kernels(const char* name) {
  for (const Kernels* compiled : kCompiled)
    if (compiled->name == std::string(name) && runs(compiled, cpu_info().best_isa)) return compiled;
  return nullptr;
}

const Kernels& kernels() {
  if (const Kernels* chosen = in_use.load(std::memory_order_acquire)) return *chosen;
  const Kernels& chosen = choose();
  use_kernels(chosen);
  return chosen;
}

void use_kernels(const Kernels& chosen) { in_use.store(&chosen, std::memory_order_release); }

}  // namespace sluicegate
