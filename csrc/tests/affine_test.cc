// Affine maps and attention: near a reference in double precision, with the same bits alone, among others, on
// two threads and of panels, and within their arrays.

#include <cmath>
#include <vector>

#include "check.h"
#include "memory.h"
#include "problem.h"
#include "run.h"

namespace sluicegate::test {
namespace {

constexpr double kTolerance = 2e-6;

Array<float> drawn(Index count, Random& random) {
  Array<float> all(count);
  for (Index i = 0; i < count; ++i) all.data()[i] = random.number(1.0f);
  return all;
}

struct Map {
  Index rows, in, out, gap;  // floats between the rows of either side
  bool has_bias;
  Array<float> x, weight, bias;

  Map(Index rows_, Index in_, Index out_, Random& random)
      : rows(rows_),
        in(in_),
        out(out_),
        gap(rows_ % 3),
        has_bias(out_ % 2 == 0),
        x(drawn(most_of(in_), random)),
        weight(drawn(in_ * out_, random)),
        bias(drawn(out_, random)) {}

  Index most_of(Index width) const { return rows ? (rows - 1) * (width + gap) + width : 0; }

  // Rows [begin, begin + count), computed by so many threads.
  std::vector<float> run(const Kernels& kernels, Index begin, Index count, int threads, bool laid_out) const {
    Affine call;
    call.rows = count;
    call.in = in;
    call.out = out;
    call.weight = weight.data();
    call.bias = has_bias ? bias.data() : nullptr;
    call.x = x.data() + begin * (in + gap);
    call.x_stride = in + gap;
    call.y_stride = out + gap;
    call.threads = threads;
    const Array<float> panels(laid_out ? kernels.affine_panels(in, out) : 0);
    if (laid_out) {
      kernels.pack_affine(call, panels.data());
      call.weight = call.bias = nullptr;
      call.panels = panels.data();
    }
    const Array<float> y((count - 1) * (out + gap) + out);
    call.y = y.data();
    kernels.affine(call);
    std::vector<float> found;
    for (Index i = 0; i < count; ++i)
      found.insert(found.end(), y.data() + i * (out + gap), y.data() + i * (out + gap) + out);
    return found;
  }

  double expected(Index row, Index column) const {
    double sum = has_bias ? bias.data()[column] : 0.0;
    for (Index k = 0; k < in; ++k)
      sum += static_cast<double>(x.data()[row * (in + gap) + k]) * weight.data()[column * in + k];
    return sum;
  }
};

struct Memories {
  Index batch, queries, steps, hidden, size;
  Array<float> query, keys, score, memory;
  Array<Index> lengths;

  Memories(Index batch_, Index queries_, Index steps_, Index hidden_, Index size_, Random& random)
      : batch(batch_),
        queries(queries_),
        steps(steps_),
        hidden(hidden_),
        size(size_),
        query(drawn(batch * queries * hidden, random)),
        keys(drawn(batch * steps * hidden, random)),
        score(drawn(hidden, random)),
        memory(drawn(batch * steps * size, random)),
        lengths(batch) {
    for (Index i = 0; i < batch; ++i) lengths.data()[i] = 1 + (steps - 1 + i * 3) % steps;
  }

  struct Found {
    std::vector<float> weights, context;
    bool operator==(const Found&) const = default;
  };

  // Of memories [begin, begin + count): the weights are read again by a second call, which has no score.
  Found run(const Kernels& kernels, Index begin, Index count, int threads) const {
    Attend call;
    call.batch = count;
    call.queries = queries;
    call.steps = steps;
    call.hidden = hidden;
    call.memory_size = size;
    call.query = query.data() + begin * queries * hidden;
    call.keys = keys.data() + begin * steps * hidden;
    call.score = score.data();
    call.memory = memory.data() + begin * steps * size;
    call.lengths = lengths.data() + begin;
    call.threads = threads;
    const Array<float> weights(count * queries * steps), context(count * queries * size);
    call.weights = weights.data();
    call.context = context.data();
    kernels.attend(call);
    Found found{{weights.data(), weights.data() + count * queries * steps},
                {context.data(), context.data() + count * queries * size}};
    call.query = call.keys = call.score = nullptr;
    kernels.attend(call);
    CHECK(found.context == std::vector<float>(context.data(), context.data() + count * queries * size));
    return found;
  }

  void compare(const Found& found) const {
    for (Index row = 0; row < batch; ++row)
      for (Index i = 0; i < queries; ++i) {
        const Index length = lengths.data()[row], at = row * queries + i;
        std::vector<double> weights(length);
        double total = 0.0;
        for (Index k = 0; k < length; ++k) {
          double sum = 0.0;
          for (Index j = 0; j < hidden; ++j)
            sum += score.data()[j] *
                   std::tanh(query.data()[at * hidden + j] + keys.data()[(row * steps + k) * hidden + j]);
          total += weights[k] = std::exp(sum);
        }
        for (Index k = 0; k < steps; ++k) {
          const double wanted = k < length ? weights[k] / total : 0.0;
          CHECK(std::abs(found.weights[at * steps + k] - wanted) <= kTolerance * static_cast<double>(hidden));
        }
        for (Index j = 0; j < size; ++j) {
          double sum = 0.0;
          for (Index k = 0; k < length; ++k)
            sum += weights[k] / total * memory.data()[(row * steps + k) * size + j];
          CHECK(std::abs(found.context[at * size + j] - sum) <= kTolerance * static_cast<double>(hidden));
        }
      }
  }
};

}  // namespace

TEST(affine_maps_are_exact_and_know_no_company) {
  Random random(1);
  for (const Index in : {1, 3, 17, 64, 130})
    for (const Index out : {1, 2, 15, 16, 33, 100})
      for (const Index rows : {1, 2, 5, 9, 40, 300}) {
        const Map map(rows, in, out, random);
        for (const Kernels* kernels : all_kernels()) {
          const Within here(std::string(kernels->name) + " " + std::to_string(rows) + " rows, " +
                            std::to_string(in) + " to " + std::to_string(out));
          const std::vector<float> all = map.run(*kernels, 0, rows, 1, false);
          for (Index row = 0; row < rows; row += 1 + rows / 7)
            for (Index column = 0; column < out; ++column)
              CHECK(std::abs(all[row * out + column] - map.expected(row, column)) <=
                    kTolerance * static_cast<double>(in));
          CHECK(map.run(*kernels, 0, rows, 2, false) == all);
          CHECK(map.run(*kernels, 0, rows, 1, true) == all);
          CHECK(map.run(*kernels, 0, rows, 3, true) == all);
          for (Index row = 0; row < rows; row += 1 + rows / 5) {
            const std::vector<float> one(all.begin() + row * out, all.begin() + (row + 1) * out);
            CHECK(map.run(*kernels, row, 1, 1, row % 2 == 0) == one);
          }
        }
      }
}

TEST(attention_is_exact_and_knows_no_company) {
  Random random(2);
  for (const Index hidden : {1, 16, 50, 128})
    for (const Index steps : {1, 4, 19})
      for (const Index queries : {1, 5}) {
        const Memories all(6, queries, steps, hidden, 3 * hidden - 1, random);
        for (const Kernels* kernels : all_kernels()) {
          const Within here(std::string(kernels->name) + " " + std::to_string(steps) + " steps of " +
                            std::to_string(hidden));
          const Memories::Found found = all.run(*kernels, 0, all.batch, 1);
          all.compare(found);
          CHECK(all.run(*kernels, 0, all.batch, 2) == found);
          for (Index row = 0; row < all.batch; ++row) {
            const Memories::Found one = all.run(*kernels, row, 1, 1);
            const Index weights = queries * steps, context = queries * all.size;
            CHECK(std::vector<float>(found.weights.begin() + row * weights,
                                     found.weights.begin() + (row + 1) * weights) == one.weights);
            CHECK(std::vector<float>(found.context.begin() + row * context,
                                     found.context.begin() + (row + 1) * context) == one.context);
          }
        }
      }
}

}  // namespace sluicegate::test
