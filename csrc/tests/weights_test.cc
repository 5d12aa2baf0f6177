// What is made of the weights before a call: panels, and a fingerprint.

#include <cstring>
#include <set>

#include "check.h"
#include "memory.h"
#include "run.h"

namespace sluicegate::test {
namespace {

std::uint64_t fingerprint(const Kernels& kernels, const std::vector<float>& data) {
  const Array<float> exact(static_cast<Index>(data.size()));
  std::copy(data.begin(), data.end(), exact.data());
  return kernels.fingerprint(exact.data(), exact.count());
}

void flip(float& x, int bit) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  bits ^= 1u << bit;
  std::memcpy(&x, &bits, sizeof(bits));
}

}  // namespace

// That no more is written than was said, and no less, is checked wherever a layer is run.
TEST(weights_take_little_more_room_as_panels) {
  for (const Kernels* kernels : all_kernels())
    for (Cell cell : all_cells())
      for (Index hidden : {1, 15, 16, 17, 50, 257})
        for (Index input : {1, 4, 5, 33}) {
          const Shape shape{cell, Activation::kTanh, input, hidden};
          const Index columns = input + (shape.recurrent() ? hidden : 0);
          const Index weights = shape.gates() * hidden * columns;
          // A vector of 16 may be begun in every panel of either kind, at worst.
          const Index most = shape.gates() * (hidden + 16) * (columns + 2 + 16);
          const Index forward = kernels->forward_panels(shape), backward = kernels->backward_panels(shape);
          const Within here(std::string(kernels->name) + ", hidden " + std::to_string(hidden) + ", input " +
                            std::to_string(input));
          CHECK(weights <= forward && forward <= most + 64);
          CHECK(weights <= backward && backward <= most + 64);
        }
}

TEST(weights_with_a_bit_flipped_have_another_fingerprint) {
  Random random(5);
  for (const Kernels* kernels : all_kernels())
    for (Index count : {1, 2, 3, 15, 16, 17, 31, 32, 33, 100})
      for (const std::vector<float>& from : {random.numbers(count, 1.0f), std::vector<float>(count, 0.0f)}) {
        const Within here(std::string(kernels->name) + ", " + std::to_string(count) + " numbers");
        std::vector<float> data = from;
        const std::uint64_t before = fingerprint(*kernels, data);
        int same = 0;
        for (Index i = 0; i < count; ++i)
          for (int bit = 0; bit < 32; ++bit) {
            flip(data[i], bit);
            same += fingerprint(*kernels, data) == before;
            flip(data[i], bit);
          }
        CHECK_EQUAL(same, 0);
        CHECK_EQUAL(fingerprint(*kernels, data), before);
      }
}

TEST(weights_with_one_number_changed_have_fingerprints_of_their_own) {
  constexpr Index kCount = 300;
  for (const Kernels* kernels : all_kernels()) {
    const Within here(kernels->name);
    std::vector<float> data(kCount, 0.0f);
    std::set<std::uint64_t> seen{fingerprint(*kernels, data)};
    const float values[] = {1.0f, -1.0f, 0.5f, 2.0f, 0.1f, 1e-3f, -0.0f};
    for (float& one : data) {
      for (float value : values) {
        one = value;
        seen.insert(fingerprint(*kernels, data));
      }
      one = 0.0f;
    }
    CHECK_EQUAL(seen.size(), kCount * std::size(values) + 1);
  }
}

TEST(weights_with_two_numbers_swapped_have_another_fingerprint) {
  Random random(7);
  for (const Kernels* kernels : all_kernels())
    for (Index count : {2, 16, 17, 50}) {
      const Within here(std::string(kernels->name) + ", " + std::to_string(count) + " numbers");
      std::vector<float> data = random.numbers(count, 1.0f);
      std::set<std::uint64_t> seen{fingerprint(*kernels, data)};
      for (Index i = 0; i < count; ++i)
        for (Index j = 0; j < i; ++j) {
          std::swap(data[i], data[j]);
          seen.insert(fingerprint(*kernels, data));
          std::swap(data[i], data[j]);
        }
      CHECK_EQUAL(seen.size(), static_cast<std::size_t>(count * (count - 1) / 2 + 1));
    }
}

TEST(weights_of_another_length_have_another_fingerprint) {
  for (const Kernels* kernels : all_kernels()) {
    std::set<std::uint64_t> seen;
    for (Index count = 0; count <= 64; ++count)
      seen.insert(fingerprint(*kernels, std::vector<float>(count, 0.0f)));
    CHECK_EQUAL(seen.size(), std::size_t{65});
  }
}

}  // namespace sluicegate::test
