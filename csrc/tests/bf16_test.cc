// Products in bfloat16: that both factors are rounded, and that nothing else is.

#include <bit>
#include <cmath>

#include "check.h"
#include "compare.h"
#include "run.h"

namespace sluicegate::test {
namespace {

constexpr Index kHidden[] = {1, 2, 3, 15, 16, 17, 31, 50, 64, 65, 100, 257};
constexpr Index kInputs[] = {1, 2, 3, 5, 17, 33};
constexpr Index kBatches[] = {1, 2, 7, 9, 65};

Shape shape_of(Cell cell, Activation activation, Index input, Index hidden) {
  return {cell, activation, input, hidden, Precision::kBf16};
}

float of_bits(std::uint32_t bits) { return std::bit_cast<float>(bits); }

// Whole numbers, most of them 0, so that every sum is small, and exact in either precision.
void make_whole(std::vector<float>& numbers, Random& random) {
  for (float& one : numbers) one = random.one_in(6) ? static_cast<float>(random.below(3)) - 1.0f : 0.0f;
}

// A number, what is nearest to it in bfloat16, and what the processor may take it for.
struct Rounding {
  std::uint32_t given, nearest;
};
constexpr Rounding kRoundings[] = {
    {0x3f800000, 0x3f800000}, {0x3f807fff, 0x3f800000}, {0x3f808000, 0x3f800000}, {0x3f808001, 0x3f810000},
    {0x3f817fff, 0x3f810000}, {0x3f818000, 0x3f820000}, {0x3fffffff, 0x40000000}, {0x00800000, 0x00800000},
    {0x00808000, 0x00800000}, {0x00808001, 0x00810000}, {0x7f7f7fff, 0x7f7f0000}, {0x7f7f8000, 0x7f800000},
    {0x7f7fffff, 0x7f800000}, {0x7f800000, 0x7f800000}, {0x00000000, 0x00000000},
};
constexpr std::uint32_t kNotNumbers[] = {0x7f800001, 0x7f80ffff, 0x7fc00000,
                                         0x7fffffff, 0xff800001, 0xffffffff};

// What an RNN with one input, of one step, makes of it with weights that are all the same.
std::vector<float> multiplied(const Kernels& kernels, Index hidden, float x, float weight) {
  Random random(1);
  Problem p = draw(shape_of(Cell::kRnn, Activation::kRelu, 1, hidden), 1, 1,
                   {.input_bias = false, .hidden_bias = false, .state = false}, random);
  p.input[0] = x;
  for (float& one : p.directions[0].input_weights) one = weight;
  Wanted forward;
  forward.backward = false;
  return run(kernels, p, {}, forward).directions[0].h_n;
}

}  // namespace

TEST(bf16_of_small_whole_numbers_is_exact) {
  for (Index hidden = 1; hidden <= 68; ++hidden) {
    Random random(hidden);
    const Index input = 1 + hidden % 7;
    Problem problem = draw(shape_of(Cell::kRnn, Activation::kRelu, input, hidden), 1 + hidden % 10, 3,
                           {.ragged = hidden % 3 == 0, .directions = hidden % 4 == 3 ? 2 : 1}, random);
    make_whole(problem.input, random);
    for (Numbers& n : problem.directions)
      for (auto* numbers : {&n.input_weights, &n.hidden_weights, &n.input_bias, &n.hidden_bias, &n.h0,
                            &n.output_gradient, &n.h_n_gradient})
        make_whole(*numbers, random);
    Problem floats = problem;
    floats.shape.precision = Precision::kFp32;
    const Within here(name_of(problem));
    for (const Kernels* kernels : all_kernels()) {
      const Within there(kernels->name);
      for (Index every : {0, 2}) {
        Arrangement arrangement;
        arrangement.every = every;
        check_same(run(*kernels, problem, arrangement), run(*kernels, floats, arrangement));
      }
    }
  }
}

TEST(bf16_rounds_numbers_and_weights_to_the_nearest) {
  for (const Kernels* kernels : all_kernels())
    for (Index hidden : {1, 3, 35}) {
      const Within here(kernels->name);
      for (const Rounding& one : kRoundings)
        for (bool weight : {false, true}) {
          const float given = of_bits(one.given), nearest = of_bits(one.nearest);
          for (float got : multiplied(*kernels, hidden, weight ? 1.0f : given, weight ? given : 1.0f))
            CHECK_EQUAL(got, nearest);
        }
      for (std::uint32_t bits : kNotNumbers) {
        for (float got : multiplied(*kernels, hidden, of_bits(bits), 1.0f)) CHECK(std::isnan(got));
        for (float got : multiplied(*kernels, hidden, 1.0f, of_bits(bits))) CHECK(std::isnan(got));
      }
    }
}

// Of one step everything that is rounded is given, so that the sums are those of the reference.
TEST(bf16_of_one_step_is_as_exact_as_floats) {
  for (Cell cell : all_cells())
    for (Index hidden : kHidden)
      for (Index input : {1, 2, 5, 33}) {
        if (cell == Cell::kGruBefore) continue;  // what its weights multiply is computed in the step
        Random random(hidden);
        const Problem problem =
            draw(shape_of(cell, Activation::kTanh, input, hidden), 1 + hidden % 9, 1, {}, random);
        const Within here(name_of(problem));
        Wanted forward;
        forward.backward = false;
        const Reference right = reference(problem);
        for (const Kernels* kernels : all_kernels()) {
          const Within there(kernels->name);
          check_close(run(*kernels, problem, {}, forward), right);
        }
      }
}

// A number just between two of bfloat16 may be rounded to either, by the kernels and by the reference. They
// are 2^-8 of it apart, and what comes of it may be so too, and a little more where steps add to it.
TEST(bf16_layers_are_near_the_reference) {
  constexpr double kNear = 0x1p-7;
  const std::vector<Cell> cells = all_cells();
  for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(sample_size()); ++seed) {
    Random random(seed);
    const Shape shape = shape_of(cells[random.below(std::ssize(cells))], Activation::kTanh,
                                 random.one_of(kInputs), random.one_of(kHidden));
    Parts parts;
    parts.ragged = random.one_in(2);
    parts.directions = random.one_in(3) ? 2 : 1;
    parts.reverse = random.one_in(3);
    const Index batch = shape.hidden > 100 ? 3 : random.one_of(kBatches);
    const Problem problem = draw(shape, batch, 1 + random.below(5), parts, random);
    const Arrangement arrangement = draw_arrangement(problem, random);
    const Wanted wanted = draw_wanted(random);
    const Within here(name_of(problem) + "; " + name_of(arrangement));
    const Reference right = reference(problem);
    for (const Kernels* kernels : kernels_in_turn()) {
      const Within there(kernels->name);
      check_close(run(*kernels, problem, arrangement, wanted), right, kNear);
    }
  }
}

TEST(bf16_panels_are_half_as_large) {
  for (const Kernels* kernels : all_kernels())
    for (Cell cell : all_cells()) {
      Shape shape = shape_of(cell, Activation::kTanh, 64, 128), floats = shape;
      floats.precision = Precision::kFp32;
      const Index biases = (shape.gates() + 1) * 128;
      CHECK_EQUAL(2 * (kernels->forward_panels(shape) - biases), kernels->forward_panels(floats) - biases);
      CHECK_EQUAL(2 * kernels->backward_panels(shape), kernels->backward_panels(floats));
    }
}

}  // namespace sluicegate::test
