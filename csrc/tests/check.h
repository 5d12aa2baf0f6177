// A test is a function with checks in it, and `main` runs all there are.
#pragma once

#include <sstream>
#include <string>

namespace sluicegate::test {

struct Test {
  const char* name;
  void (*run)();
};

// Puts a test on the list; the value only gives the call a place to stand.
bool add_test(Test test);

// Says that a check did not hold. Any thread may.
void fail(const char* file, int line, const std::string& what);

// What the checks, or a crash, are to be told with while this object lives. For the thread of the tests only.
class Within {
 public:
  explicit Within(const std::string& what);
  ~Within();
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  std::size_t before_;
};

// Cases that the sample of layers has, as the command line may say.
int sample_size();

// The sanitizers see the end of an array on the heap; without them a page that cannot be touched has to do.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace sluicegate::test

#define TEST(name)                                                                                \
  static void name();                                                                             \
  [[maybe_unused]] static const bool added_##name = ::sluicegate::test::add_test({#name, &name}); \
  static void name()

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) ::sluicegate::test::fail(__FILE__, __LINE__, #condition); \
  } while (false)

#define CHECK_EQUAL(got, wanted)                                 \
  do {                                                           \
    const auto got_ = (got);                                     \
    const auto wanted_ = (wanted);                               \
    if (!(got_ == wanted_)) {                                    \
      std::ostringstream text_;                                  \
      text_ << #got << " is " << got_ << ", not " << wanted_;    \
      ::sluicegate::test::fail(__FILE__, __LINE__, text_.str()); \
    }                                                            \
  } while (false)
