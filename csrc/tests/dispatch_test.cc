// Which kernels are in use. The choice is made once in a process, so each is made in a child.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "check.h"
#include "run.h"
#include "sluicegate/cpu.h"

namespace sluicegate::test {
namespace {

constexpr const char* kNames[] = {"scalar", "avx2", "avx512", "avx512_bf16", "neon"};

// Whether f() holds in a child whose variable has that value; null for none.
template <class F>
bool in_a_child(const char* isa, F&& f) {
  const pid_t child = fork();
  if (child == 0) {
    if (isa)
      setenv("SLUICEGATE_ISA", isa, 1);
    else
      unsetenv("SLUICEGATE_ISA");
    _exit(f() ? 0 : 1);
  }
  int status = -1;
  return waitpid(child, &status, 0) == child && status == 0;
}

bool uses(const std::string& name) { return kernels().name == name; }

// Whether the variable is refused in a sentence that says what it may be.
bool refuses(const std::string& name) {
  try {
    kernels();
    return false;
  } catch (const std::invalid_argument& error) {
    const std::string text = error.what();
    bool helpful = text.find("SLUICEGATE_ISA") != text.npos && text.find("'" + name + "'") != text.npos;
    for (const Kernels* one : all_kernels())
      helpful = helpful && text.find(one->name, text.find("one of")) != text.npos;
    return helpful;
  }
}

}  // namespace

TEST(dispatch_takes_the_best_there_is) {
  const std::string best = cpu_info().best_isa;
  CHECK_EQUAL(std::string(all_kernels().front()->name), best);
  CHECK(in_a_child(nullptr, [&] { return uses(best); }));
  CHECK(in_a_child("", [&] { return uses(best); }));
}

TEST(dispatch_takes_what_the_variable_says) {
  CHECK(find_kernels("scalar") != nullptr);
  for (const char* name : kNames) {
    const Within here(name);
    const bool there = find_kernels(name) != nullptr;
    CHECK(in_a_child(name, [&] { return there ? uses(name) : refuses(name); }));
  }
}

TEST(dispatch_refuses_nonsense) {
  for (const char* name : {"sse9", "AVX2", " scalar", "avx2,avx512", "0"}) {
    const Within here(name);
    CHECK(find_kernels(name) == nullptr);
    CHECK(in_a_child(name, [&] { return refuses(name) && refuses(name); }));
  }
}

TEST(dispatch_can_be_changed) {
  CHECK(in_a_child("scalar", [] {
    bool right = uses("scalar");
    for (const Kernels* one : all_kernels()) {
      use_kernels(*one);
      right = right && uses(one->name) && &kernels() == one;
    }
    return right;
  }));
}

TEST(dispatch_names_every_kernel_by_its_name) {
  for (const Kernels* one : all_kernels()) {
    CHECK(find_kernels(one->name) == one);
    CHECK(one->multiply_adds(1000) >= 1000.0);
  }
}

}  // namespace sluicegate::test
