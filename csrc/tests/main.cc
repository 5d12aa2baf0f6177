// Runs the tests: sluicegate_tests [--cases=N] [--but=PART] [a part of a test's name ...]

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace sluicegate::test {
namespace {

constexpr int kTold = 20;            // failed checks that a test tells of, at most
constexpr unsigned kPatience = 300;  // seconds after which a test is taken to hang

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

std::string within;
std::atomic<int> failures{0};
int cases = 400;

// Where it was when it died: a sanitizer, a guard page or the alarm has said why.
void tell_where() {
  const char text[] = "\nwhile testing ";
  // Nothing can be done about a failed write here.
  if (write(2, text, sizeof(text) - 1) < 0 || write(2, within.data(), within.size()) < 0 ||
      write(2, "\n", 1) < 0)
    return;
}

extern "C" void die(int signal) {
  tell_where();
  std::signal(signal, SIG_DFL);
  raise(signal);
}

void expect_death() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  __sanitizer_set_death_callback(tell_where);
#else
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) std::signal(signal, die);
#endif
  std::signal(SIGALRM, die);
}

bool wanted(const Test& test, int count, char** parts) {
  bool named = false;
  for (int i = 1; i < count; ++i) {
    if (std::strncmp(parts[i], "--but=", 6) == 0 && std::strstr(test.name, parts[i] + 6)) return false;
    if (std::strncmp(parts[i], "--", 2) == 0) continue;
    named = true;
    if (std::strstr(test.name, parts[i])) return true;
  }
  return !named;
}

int run(int count, char** arguments) {
  using Clock = std::chrono::steady_clock;
  for (int i = 1; i < count; ++i)
    if (std::strncmp(arguments[i], "--cases=", 8) == 0) cases = std::atoi(arguments[i] + 8);
  expect_death();
  std::sort(tests().begin(), tests().end(),
            [](const Test& a, const Test& b) { return std::strcmp(a.name, b.name) < 0; });
  int passed = 0, failed = 0;
  for (const Test& test : tests()) {
    if (!wanted(test, count, arguments)) continue;
    failures = 0;
    alarm(kPatience);
    const Within here(test.name);
    const auto begin = Clock::now();
    test.run();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::printf("%s %s (%.1f s)\n", failures ? "FAILED" : "ok    ", test.name, seconds);
    std::fflush(stdout);
    ++(failures ? failed : passed);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed || !passed;
}

}  // namespace

bool add_test(Test test) {
  tests().push_back(test);
  return true;
}

void fail(const char* file, int line, const std::string& what) {
  static std::mutex one_at_a_time;
  if (failures.fetch_add(1) >= kTold) return;
  const std::lock_guard lock(one_at_a_time);
  std::fprintf(stderr, "%s:%d: %s\n    while testing %s\n", file, line, what.c_str(), within.c_str());
}

Within::Within(const std::string& what) : before_(within.size()) {
  within += (within.empty() ? "" : ": ") + what;
}
Within::~Within() { within.resize(before_); }

int sample_size() { return cases; }

}  // namespace sluicegate::test

int main(int count, char** arguments) { return sluicegate::test::run(count, arguments); }

#if defined(__SANITIZE_ADDRESS__)
// New memory holds NaN everywhere, so that whatever depends on it shows.
extern "C" const char* __asan_default_options() {
  return "max_malloc_fill_size=1073741824:malloc_fill_byte=255";
}
#endif
