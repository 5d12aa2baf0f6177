// Products, attention and sums of exponentials: against double precision, and a row against the same row
// alone.

#include <cmath>
#include <cstring>
#include <vector>

#include "check.h"
#include "memory.h"
#include "problem.h"
#include "run.h"

namespace sluicegate::test {
namespace {

// Numbers in an array that ends where it ends.
Array<float> array_of(const std::vector<float>& numbers) {
  Array<float> all(static_cast<Index>(numbers.size()));
  std::copy(numbers.begin(), numbers.end(), all.data());
  return all;
}

bool same(const float* a, const float* b, Index count) {
  return std::memcmp(a, b, count * sizeof(float)) == 0;
}

}  // namespace

TEST(products_of_any_size) {
  Random random(11);
  for (const Kernels* kernels : all_kernels())
    for (int i = 0; i < 40; ++i) {
      const Index rows = 1 + random.below(i % 8 == 0 ? 300 : 20), depth = 1 + random.below(70);
      const Index columns = 1 + random.below(i % 8 == 1 ? 1500 : 130);
      const int threads = 1 + static_cast<int>(random.below(3));
      const Within here(std::string(kernels->name) + ", " + std::to_string(rows) + " x " +
                        std::to_string(depth) + " x " + std::to_string(columns));
      const auto a = array_of(random.numbers(rows * depth, 1.0f));
      const auto weights = array_of(random.numbers(columns * depth, 1.0f));
      const auto bias = array_of(random.numbers(columns, 1.0f));
      const Array<float> panels(kernels->product_panels(depth, columns)), out(rows * columns), one(columns);
      kernels->pack_product(weights.data(), i % 3 ? bias.data() : nullptr, depth, columns, panels.data());
      kernels->product({rows, depth, columns, a.data(), depth, panels.data(), out.data(), columns, threads});
      for (Index row = 0; row < rows; ++row)
        for (Index column = 0; column < columns; ++column) {
          double sum = i % 3 ? bias[column] : 0.0;
          for (Index k = 0; k < depth; ++k)
            sum += static_cast<double>(a[row * depth + k]) * weights[column * depth + k];
          CHECK(std::abs(out[row * columns + column] - sum) < 1e-4);
        }
      const Index row = random.below(rows);
      kernels->product(
          {1, depth, columns, a.data() + row * depth, depth, panels.data(), one.data(), columns, 1});
      CHECK(same(one.data(), out.data() + row * columns, columns));
    }
}

TEST(attention_of_any_size) {
  Random random(12);
  for (const Kernels* kernels : all_kernels())
    for (int i = 0; i < 40; ++i) {
      const Index sources = 1 + random.below(4), rows = 1 + random.below(5), queries = 1 + random.below(6);
      const Index steps = 1 + random.below(80), hidden = 1 + random.below(150),
                  memory = 1 + random.below(150);
      const Within here(std::string(kernels->name) + ", " + std::to_string(steps) + " steps of " +
                        std::to_string(hidden) + " and " + std::to_string(memory));
      const Array<Index> asked(rows), lengths(sources);
      for (Index row = 0; row < rows; ++row) asked[row] = random.below(sources);
      for (Index source = 0; source < sources; ++source) lengths[source] = 1 + random.below(steps);
      const auto query = array_of(random.numbers(rows * queries * hidden, 1.0f));
      const auto keys = array_of(random.numbers(sources * steps * hidden, 1.0f));
      const auto states = array_of(random.numbers(sources * steps * memory, 1.0f));
      const auto score = array_of(random.numbers(hidden, 1.0f));
      const Array<float> weights(rows * queries * steps), context(rows * queries * memory);
      Attention call{rows,         queries,        steps,          hidden,      memory,
                     asked.data(), lengths.data(), query.data(),   keys.data(), states.data(),
                     score.data(), weights.data(), context.data(), 1 + i % 3};
      kernels->attend(call);
      for (Index row = 0; row < rows * queries; ++row) {
        const Index source = asked[row / queries];
        std::vector<double> shares;
        double total = 0.0;
        for (Index j = 0; j < lengths[source]; ++j) {
          double sum = 0.0;
          for (Index u = 0; u < hidden; ++u)
            sum += score[u] * std::tanh(static_cast<double>(query[row * hidden + u]) +
                                        keys[(source * steps + j) * hidden + u]);
          shares.push_back(std::exp(sum));
          total += shares.back();
        }
        for (Index j = 0; j < steps; ++j)
          CHECK(std::abs(weights[row * steps + j] - (j < lengths[source] ? shares[j] / total : 0.0)) < 1e-5);
        for (Index u = 0; u < memory; ++u) {
          double sum = 0.0;
          for (Index j = 0; j < lengths[source]; ++j)
            sum += shares[j] / total * states[(source * steps + j) * memory + u];
          CHECK(std::abs(context[row * memory + u] - sum) < 1e-4);
        }
      }
    }
}

TEST(log_sums_of_any_count) {
  Random random(13);
  for (const Kernels* kernels : all_kernels())
    for (Index count = 1; count <= 200; ++count) {
      const auto row = array_of(random.numbers(count, count % 2 ? 1.0f : 60.0f));
      const Array<float> out(1);
      kernels->log_sums(row.data(), 1, count, count, out.data(), 1);
      double sum = 0.0;
      for (Index i = 0; i < count; ++i) sum += std::exp(static_cast<double>(row[i]));
      CHECK(std::abs(out[0] - std::log(sum)) < 1e-5);
    }
}

}  // namespace sluicegate::test
