// A row's result does not depend on its company, nor on how it is handed over, to the bit.

#include <cmath>
#include <limits>

#include "check.h"
#include "compare.h"
#include "run.h"

namespace sluicegate::test {
namespace {

// Of every cell and of some sizes, among them one whose threads share the units.
template <class F>
void each_problem(const Parts& parts, F&& f) {
  struct Size {
    Index input, hidden, batch, steps;
  };
  std::uint64_t seed = 1;
  for (Cell cell : all_cells())
    for (const Size& size :
         {Size{1, 50, 9, 5}, {4, 16, 70, 4}, {33, 65, 3, 6}, {5, 1, 13, 4}, {3, 257, 5, 4}}) {
      const auto activation = ++seed % 3 ? Activation::kTanh : Activation::kRelu;
      Random random(seed);
      Problem problem =
          draw({cell, activation, size.input, size.hidden}, size.batch, size.steps, parts, random);
      for (Precision precision : {Precision::kFp32, Precision::kBf16}) {
        problem.shape.precision = precision;
        const Within here(name_of(problem));
        for (const Kernels* kernels : kernels_in_turn()) {
          const Within there(kernels->name);
          f(*kernels, problem);
        }
      }
    }
}

std::vector<float> row_of(const std::vector<float>& all, const Problem& p, Index width, Index row) {
  std::vector<float> some;
  for (std::size_t t = 0; t * p.batch * width < all.size(); ++t) {
    const auto begin = all.begin() + (t * p.batch + row) * width;
    some.insert(some.end(), begin, begin + width);
  }
  return some;
}

// What belongs to one row.
Result<float> row_of(const Result<float>& all, const Problem& p, Index row) {
  Result<float> one;
  const Index hidden = p.shape.hidden;
  for (const auto& d : all.directions)
    one.directions.push_back({row_of(d.output, p, hidden, row),
                              row_of(d.h_n, p, hidden, row),
                              row_of(d.c_n, p, hidden, row),
                              row_of(d.input_gradient, p, p.shape.input, row),
                              row_of(d.h0_gradient, p, hidden, row),
                              row_of(d.c0_gradient, p, hidden, row),
                              {},
                              {},
                              {},
                              {}});
  return one;
}

}  // namespace

TEST(bits_of_a_row_alone_are_those_in_a_batch) {
  for (bool ragged : {false, true})
    each_problem(
        {.ragged = ragged, .directions = ragged ? 2 : 1}, [](const Kernels& kernels, const Problem& problem) {
          Arrangement many;
          many.threads = 3;
          const Result<float> whole = run(kernels, problem, many);
          for (Index row = 0; row < problem.batch; row += problem.batch > 20 ? 9 : 2)
            check_same_rows(run(kernels, rows_of(problem, row, 1)), row_of(whole, problem, row));
          const Index some = (problem.batch + 1) / 2;
          const Result<float> half = run(kernels, rows_of(problem, 0, some));
          for (Index row = 0; row < some; row += 3)
            check_same_rows(row_of(half, rows_of(problem, 0, some), row), row_of(whole, problem, row));
        });
}

TEST(bits_do_not_depend_on_threads_or_arrangement) {
  for (bool ragged : {false, true})
    each_problem({.ragged = ragged, .directions = 1, .reverse = ragged},
                 [](const Kernels& kernels, Problem problem) {
                   problem.lengths[0] = problem.steps;  // or it could not be packed
                   const Result<float> plain = run(kernels, problem);
                   Random random(problem.shape.hidden);
                   for (int i = 0; i < 6; ++i) {
                     const Arrangement arrangement = draw_arrangement(problem, random);
                     const Within here(name_of(arrangement));
                     check_same_rows(run(kernels, problem, arrangement), plain);
                   }
                 });
}

TEST(bits_are_the_same_every_time) {
  // Of the gradients of the weights too, for as many threads.
  each_problem({}, [](const Kernels& kernels, const Problem& problem) {
    for (Index every : {0, 2}) {
      Arrangement arrangement;
      arrangement.threads = 3;
      arrangement.every = every;
      const Result<float> first = run(kernels, problem, arrangement);
      for (int i = 0; i < 3; ++i) check_same(run(kernels, problem, arrangement), first);
    }
  });
}

TEST(bits_of_chunks_are_those_of_the_whole) {
  Wanted forward;
  forward.backward = false;
  each_problem({.ragged = true}, [&](const Kernels& kernels, const Problem& problem) {
    const Result<float> whole = run(kernels, problem, {}, forward);
    for (Index cut = 0; cut <= problem.steps; ++cut) {
      const Numbers& n = problem.directions[0];
      const auto before = run(kernels, steps_of(problem, 0, cut, {n.h0}, {n.c0}), {}, forward).directions[0];
      const Problem rest = steps_of(problem, cut, problem.steps - cut, {before.h_n}, {before.c_n});
      Result<float> after = run(kernels, rest, {}, forward);
      auto& output = after.directions[0].output;
      output.insert(output.begin(), before.output.begin(), before.output.end());
      check_same_rows(after, whole);
    }
  });
}

TEST(bits_of_no_state_are_those_of_a_zero_state) {
  each_problem({.state = false}, [](const Kernels& kernels, const Problem& problem) {
    Problem zero = problem;
    Numbers& n = zero.directions[0];
    n.h0.assign(problem.batch * problem.shape.hidden, 0.0f);
    if (problem.shape.cell == Cell::kLstm) n.c0 = n.h0;
    check_same(run(kernels, zero), run(kernels, problem));
  });
}

TEST(bits_of_other_rows_survive_a_nan) {
  each_problem({}, [](const Kernels& kernels, const Problem& problem) {
    for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      const Index sick = problem.batch / 2, width = problem.shape.input, hidden = problem.shape.hidden;
      Problem ill = problem;
      ill.input[sick * width] = bad;
      ill.directions[0].output_gradient[(problem.batch + sick) * hidden] = bad;
      const Result<float> well = run(kernels, problem), got = run(kernels, ill);
      for (Index row = 0; row < problem.batch; ++row)
        if (row != sick) check_same_rows(row_of(got, problem, row), row_of(well, problem, row));
      // And it is not swept under the carpet.
      const auto& h = got.directions[0].h_n;
      if (std::isnan(bad)) CHECK(std::isnan(h[sick * hidden]) && std::isnan(h[sick * hidden + hidden - 1]));
    }
  });
}

}  // namespace sluicegate::test
