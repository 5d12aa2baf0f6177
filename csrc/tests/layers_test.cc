// Every cell, on every instruction set, at awkward sizes and in awkward places, against the reference.

#include <cstdio>
#include <vector>

#include "check.h"
#include "compare.h"
#include "run.h"

namespace sluicegate::test {
namespace {

constexpr Index kHidden[] = {1, 2, 3, 15, 16, 17, 50, 63, 64, 65, 100, 257};
constexpr Index kInputs[] = {1, 3, 4, 5, 17, 33};
constexpr Index kBatches[] = {1, 2, 7, 8, 9, 64, 65, 130};
constexpr Index kSteps[] = {0, 1, 2, 5};

// Every cell, by either activation where it goes through one.
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (Cell cell : all_cells()) {
    all.push_back({.cell = cell, .activation = Activation::kTanh});
    if (all.back().traits().activation) all.push_back({.cell = cell, .activation = Activation::kRelu});
  }
  return all;
}

// So near to its kink, a ReLU may be on in one precision and off in the other.
constexpr double kKink = 3e-6;

// The reference takes a second for this many products, under the sanitizers and all.
constexpr double kDear = 2e8;

double products(const Shape& s, Index batch, Index steps, int directions) {
  return 1.0 * s.gates() * s.hidden * (s.hidden + s.input) * batch * steps * directions;
}

Parts draw_parts(Random& random) {
  Parts parts;
  parts.ragged = random.one_in(2);
  parts.directions = random.one_in(3) ? 2 : 1;
  parts.reverse = random.one_in(3);
  for (bool* one : {&parts.input_bias, &parts.hidden_bias, &parts.state, &parts.output_gradient,
                    &parts.h_n_gradient, &parts.c_n_gradient})
    *one = !random.one_in(5);
  return parts;
}

void check(const Problem& problem, const Arrangement& arrangement, const Wanted& wanted,
           const Reference& right) {
  const Within here(name_of(problem) + "; " + name_of(arrangement));
  for (const Kernels* kernels : kernels_in_turn()) {
    const Within there(kernels->name);
    check_close(run(*kernels, problem, arrangement, wanted), right);
  }
}

// Draws the problem anew until no ReLU is near its kink.
void check(const Shape& shape, Index batch, Index steps, const Parts& parts, const Arrangement& arrangement,
           std::uint64_t seed) {
  for (;; seed += 1000003) {
    Random random(seed);
    const Problem problem = draw(shape, batch, steps, parts, random);
    const Reference right = reference(problem);
    if (right.nearest_kink < kKink) continue;
    return check(problem, arrangement, {}, right);
  }
}

Shape shape_of(Shape cell, Index input, Index hidden) {
  cell.input = input;
  cell.hidden = hidden;
  return cell;
}

}  // namespace

TEST(layers_agree_with_the_reference) {
  const std::vector<Shape> cells = shapes();
  double budget = 0.0;
  for (std::uint64_t seed = 1, done = 0; done < static_cast<std::uint64_t>(sample_size()); ++seed) {
    Random random(seed);
    const Shape shape = shape_of(cells[done % cells.size()], random.one_of(kInputs), random.one_of(kHidden));
    const Index batch = random.one_of(kBatches), steps = random.one_of(kSteps);
    const Parts parts = draw_parts(random);
    // Large ones as often as there is time for them.
    const double price = products(shape, batch, steps, parts.directions);
    if (price > budget + 0.02 * kDear) continue;
    const Problem problem = draw(shape, batch, steps, parts, random);
    const Arrangement arrangement = draw_arrangement(problem, random);
    const Wanted wanted = draw_wanted(random);
    const Reference right = reference(problem);
    if (right.nearest_kink < kKink) continue;
    check(problem, arrangement, wanted, right);
    budget += 0.01 * kDear - (price > 0.02 * kDear ? price : 0.0);
    ++done;
  }
  std::printf("       the largest difference was %.2f of what is allowed\n", closest_call());
}

TEST(layers_of_every_width) {
  // Around a vector of every instruction set, and around a panel of several.
  for (const Shape& cell : shapes())
    for (Index hidden = 1; hidden <= 52; ++hidden) {
      Arrangement arrangement;
      arrangement.every = hidden % 3;
      arrangement.row_gap = hidden % 2;
      check(shape_of(cell, 1 + hidden % 7, hidden), 1 + hidden % 5, 2, {}, arrangement, 77 + hidden);
    }
}

TEST(layers_of_every_batch) {
  for (const Shape& cell : shapes())
    for (Index batch = 1; batch <= 20; ++batch)
      check(shape_of(cell, 3, 17), batch, 3, {.ragged = batch % 2 == 0, .reverse = batch % 3 == 0}, {},
            177 + batch);
}

TEST(layers_whose_threads_share_the_units) {
  for (const Shape& cell : shapes())
    for (int threads : {2, 3, 4})
      for (Index every : {0, 2}) {
        const Index hidden = threads == 3 ? 257 : 128;
        Arrangement arrangement;
        arrangement.threads = threads;
        arrangement.every = every;
        check(shape_of(cell, 5, hidden), 3, 5, {.ragged = every == 0, .reverse = threads == 2}, arrangement,
              277 + threads);
      }
}

TEST(layers_with_more_threads_than_there_are_cores) {
  // Enough of them that more rows than are computed together would share their units.
  for (const Shape& cell : shapes()) {
    Arrangement arrangement;
    arrangement.threads = 40;
    check(shape_of(cell, 3, 128), 70, 2, {}, arrangement, 377);
  }
}

TEST(layers_without_rows_or_steps) {
  for (const Shape& cell : shapes())
    for (Index batch : {0, 1, 65})
      for (Index steps : {0, 1})
        for (int directions : {1, 2})
          for (bool ragged : {false, true})
            for (Index every : {0, 2}) {
              Arrangement arrangement;
              arrangement.threads = directions;
              arrangement.every = every;
              check(shape_of(cell, 3, 5), batch, steps, {.ragged = ragged, .directions = directions},
                    arrangement, 477);
            }
}

TEST(layers_whose_rows_all_have_no_steps) {
  for (const Shape& cell : shapes())
    for (Index every : {0, 1, 4}) {
      Random random(577);
      Problem problem = draw(shape_of(cell, 3, 17), 9, 4, {.directions = 2}, random);
      problem.lengths.assign(9, 0);
      Arrangement arrangement;
      arrangement.every = every;
      arrangement.threads = 2;
      check(problem, arrangement, {}, reference(problem));
    }
}

TEST(layers_may_go_back_with_other_threads_than_forward) {
  // Rows are cut into other groups then, and those of a group begin together when they are read in reverse.
  for (const Shape& cell : shapes())
    for (Index every : {0, 1, 2, 3})
      for (int hidden : {17, 128})
        for (auto [forward, back] : {std::pair{1, 2}, {2, 1}, {3, 2}, {1, 3}}) {
          Arrangement arrangement;
          arrangement.every = every;
          arrangement.threads = forward;
          arrangement.backward_threads = back;
          check(shape_of(cell, 3, hidden), 5, 5, {.ragged = true, .reverse = true}, arrangement, 677);
        }
}

}  // namespace sluicegate::test
