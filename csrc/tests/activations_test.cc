// Sigmoid and tanh: how near they come, and what they make of numbers that are none.

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "check.h"
#include "memory.h"
#include "run.h"

namespace sluicegate::test {
namespace {

constexpr double kTolerance = 1e-6;

using Function = void (*)(const float*, float*, Index);

// Applied to an array that ends where it ends.
std::vector<float> apply(Function function, const std::vector<float>& in) {
  const auto count = static_cast<Index>(in.size());
  const Array<float> from(count), to(count);
  std::copy(in.begin(), in.end(), from.data());
  function(from.data(), to.data(), count);
  return {to.data(), to.data() + count};
}

// Every exponent there is, some numbers of each, and the range where something happens in small steps.
std::vector<float> arguments() {
  std::vector<float> all;
  for (std::uint32_t bits = 0; bits < 0x7f800000u; bits += 0x5fff1u) {
    float x;
    std::memcpy(&x, &bits, sizeof(x));
    all.push_back(x);
    all.push_back(-x);
  }
  for (int i = -200000; i <= 200000; ++i) all.push_back(static_cast<float>(i) * 1e-4f);
  all.push_back(std::numeric_limits<float>::max());
  all.push_back(std::numeric_limits<float>::lowest());
  return all;
}

}  // namespace

TEST(activations_are_exact) {
  const std::vector<float> in = arguments();
  for (const Kernels* kernels : all_kernels()) {
    const Within here(kernels->name);
    const std::vector<float> sigmoids = apply(kernels->sigmoid, in), tanhs = apply(kernels->tanh, in);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double x = in[i];
      const double sigmoid = std::abs(sigmoids[i] - 1.0 / (1.0 + std::exp(-x)));
      const double tanh = std::abs(tanhs[i] - std::tanh(x));
      if (sigmoid <= kTolerance && tanh <= kTolerance && sigmoids[i] >= 0.0f && sigmoids[i] <= 1.0f &&
          std::abs(tanhs[i]) <= 1.0f)
        continue;
      CHECK_EQUAL(x, 0.0);  // tells the argument
      break;
    }
  }
}

TEST(activations_of_infinity_and_nan) {
  const float infinity = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  for (const Kernels* kernels : all_kernels()) {
    const Within here(kernels->name);
    // In every lane of a vector, among ordinary numbers.
    for (int lane = 0; lane < 17; ++lane) {
      std::vector<float> in(17, 0.0f);
      auto at_lane = [&](Function function, float x) {
        in[lane] = x;
        const std::vector<float> out = apply(function, in);
        for (int i = 0; i < 17; ++i)
          if (i != lane) CHECK_EQUAL(out[i], function == kernels->tanh ? 0.0f : 0.5f);
        return out[lane];
      };
      CHECK_EQUAL(at_lane(kernels->sigmoid, infinity), 1.0f);
      CHECK_EQUAL(at_lane(kernels->sigmoid, -infinity), 0.0f);
      CHECK_EQUAL(at_lane(kernels->tanh, infinity), 1.0f);
      CHECK_EQUAL(at_lane(kernels->tanh, -infinity), -1.0f);
      CHECK(std::isnan(at_lane(kernels->sigmoid, nan)));
      CHECK(std::isnan(at_lane(kernels->tanh, nan)));
      CHECK(std::isnan(at_lane(kernels->sigmoid, -nan)));
      CHECK(std::isnan(at_lane(kernels->tanh, -nan)));
    }
  }
}

TEST(activations_of_shut_gates_are_exact) {
  for (const Kernels* kernels : all_kernels()) {
    const Within here(kernels->name);
    CHECK(apply(kernels->sigmoid, {-20.0f, 20.0f, 0.0f}) == (std::vector<float>{0.0f, 1.0f, 0.5f}));
    CHECK(apply(kernels->tanh, {-10.0f, 10.0f, 0.0f}) == (std::vector<float>{-1.0f, 1.0f, 0.0f}));
  }
}

TEST(activations_of_any_count) {
  Random random(3);
  for (const Kernels* kernels : all_kernels())
    for (Index count = 0; count <= 40; ++count) {
      const std::vector<float> in = random.numbers(count, 4.0f);
      const std::vector<float> sigmoids = apply(kernels->sigmoid, in), tanhs = apply(kernels->tanh, in);
      for (Index i = 0; i < count; ++i) {
        CHECK_EQUAL(sigmoids[i], apply(kernels->sigmoid, {in[i]})[0]);
        CHECK_EQUAL(tanhs[i], apply(kernels->tanh, {in[i]})[0]);
      }
    }
}

}  // namespace sluicegate::test
