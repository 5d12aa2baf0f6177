// Layers in int8: every instruction set against the equations of one row, written plainly, to the bit.

#include "sluicegate/quantized.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "check.h"
#include "memory.h"
#include "problem.h"

namespace sluicegate::test {
namespace {

struct Numbers8 {
  QuantizedShape shape;
  std::vector<std::int8_t> input, hidden;
  std::vector<float> input_floats, input_scale, input_factor, bias, hidden_scale, hidden_bias;
  float hidden_factor = 127.0f;

  QuantizedWeights weights() const {
    return {input.data(),  input_floats.data(), input_scale.data(), input_factor.data(), bias.data(),
            hidden.data(), hidden_scale.data(), hidden_factor,      hidden_bias.data()};
  }
};

std::vector<std::int8_t> whole_numbers(Random& random, Index count) {
  std::vector<std::int8_t> all(count);
  for (auto& q : all) q = static_cast<std::int8_t>(random.below(255) - 127);
  return all;
}

std::vector<float> positive(Random& random, Index count, float limit) {
  std::vector<float> all = random.numbers(count, limit);
  for (float& a : all) a = std::abs(a) + 1e-6f;
  return all;
}

Numbers8 draw(Random& random) {
  Numbers8 n;
  n.shape = {static_cast<Cell>(random.below(6)), static_cast<Activation>(random.below(2)),
             1 + random.below(70), 1 + random.below(100), random.one_in(3)};
  const Index input = n.shape.input, hidden = n.shape.hidden, rows = n.shape.traits().gates.count * hidden;
  n.input = whole_numbers(random, rows * input);
  n.hidden = whole_numbers(random, rows * hidden);
  n.input_floats = random.numbers(rows * input, 0.5f);
  n.input_scale = positive(random, rows, 1e-3f);
  n.hidden_scale = positive(random, rows, 1e-3f);
  n.input_factor = positive(random, input, 100.0f);
  n.bias = random.numbers(rows, 1.0f);
  n.hidden_bias = random.numbers(hidden, 1.0f);
  if (random.one_in(2)) n.hidden_factor = 31.7f;
  return n;
}

int whole(float x, float factor) {
  float v = factor * x;
  v = v < 127.0f ? v : 127.0f;
  v = v > -127.0f ? v : -127.0f;
  return static_cast<int>(std::nearbyint(v));
}

float quotient(float a, const float (&p)[5], const float (&q)[5], float limit) {
  float s = a * a;
  s = limit < s ? limit : s;
  float above = p[4] * s + p[3], below = q[4] * s + q[3];
  for (int k = 2; k >= 0; --k) {
    above = above * s + p[k];
    below = below * s + q[k];
  }
  return a * (above / below);
}
float tanh_of(float a) {
  const float t =
      quotient(a, {1.0f, 1.342586875e-01f, 3.549167886e-03f, 2.150847649e-05f, 1.464823285e-08f},
               {1.0f, 4.675919414e-01f, 2.607994527e-02f, 3.373948566e-04f, 8.295097587e-07f}, 75.69f);
  return t > 1.0f ? 1.0f : t < -1.0f ? -1.0f : t;
}
float sigmoid(float a) {
  const float t =
      0.5f + quotient(a, {0.25f, 8.391167969e-03f, 5.545574822e-05f, 8.401748630e-08f, 1.430491489e-11f},
                      {1.0f, 1.168979853e-01f, 1.629996579e-03f, 5.271794635e-06f, 3.240272495e-09f},
                      302.76f);
  return t > 1.0f ? 1.0f : t < 0.0f ? 0.0f : t;
}

// One row, step by step, as the reference in Python has it.
struct Plain {
  const Numbers8& n;
  std::vector<float> h, c;

  float activate(float a) const {
    return n.shape.activation == Activation::kRelu ? (a < 0.0f ? 0.0f : a) : tanh_of(a);
  }
  float share(Index row, const float* x) const {
    const Index input = n.shape.input;
    if (n.shape.floats) {
      float sum = n.bias[row];
      for (Index k = 0; k < input; ++k) sum = sum + n.input_floats[row * input + k] * x[k];
      return sum;
    }
    int sum = 0;
    for (Index k = 0; k < input; ++k) sum += n.input[row * input + k] * whole(x[k], n.input_factor[k]);
    return static_cast<float>(sum) * n.input_scale[row] + n.bias[row];
  }
  float product(Index row, const std::vector<float>& of) const {
    int sum = 0;
    for (Index k = 0; k < n.shape.hidden; ++k)
      sum += n.hidden[row * n.shape.hidden + k] * whole(of[k], n.hidden_factor);
    return static_cast<float>(sum) * n.hidden_scale[row];
  }
  static float mix(float z, float candidate, float before) {
    return (candidate - z * candidate) + z * before;
  }

  void step(const float* x) {
    const Index units = n.shape.hidden;
    const std::vector<float> before = h;
    auto row = [&](int gate, Index unit) { return gate * units + unit; };
    auto sum = [&](int gate, Index u) { return share(row(gate, u), x) + product(row(gate, u), before); };
    std::vector<float> gated(units);
    if (n.shape.cell == Cell::kGruBefore)
      for (Index u = 0; u < units; ++u) gated[u] = sigmoid(sum(0, u)) * before[u];
    for (Index u = 0; u < units; ++u) switch (n.shape.cell) {
        case Cell::kGru: {
          const float r = sigmoid(sum(0, u)), z = sigmoid(sum(1, u));
          const float q = product(row(2, u), before) + n.hidden_bias[u];
          h[u] = mix(z, activate(share(row(2, u), x) + r * q), before[u]);
          break;
        }
        case Cell::kGruBefore:
          h[u] =
              mix(sigmoid(sum(1, u)), activate(share(row(2, u), x) + product(row(2, u), gated)), before[u]);
          break;
        case Cell::kLstm: {
          const float i = sigmoid(sum(0, u)), f = sigmoid(sum(1, u)), g = activate(sum(2, u));
          c[u] = f * c[u] + i * g;
          h[u] = sigmoid(sum(3, u)) * activate(c[u]);
          break;
        }
        case Cell::kRnn:
          h[u] = activate(sum(0, u));
          break;
        case Cell::kMinGru: {
          const float z = sigmoid(share(row(0, u), x));
          h[u] = (1.0f - z) * before[u] + z * share(row(1, u), x);
          break;
        }
        case Cell::kLiGru:
          h[u] = mix(sigmoid(sum(0, u)), activate(sum(1, u)), before[u]);
          break;
      }
  }
};

std::vector<const QuantizedKernels*> all_quantized() {
  std::vector<const QuantizedKernels*> all;
  for (const char* name : {"avx512_vnni", "avx512", "avx2", "neon", "scalar"})
    if (const auto* found = find_quantized_kernels(name)) all.push_back(found);
  return all;
}

Array<float> array_of(const std::vector<float>& numbers) {
  Array<float> all(static_cast<Index>(numbers.size()));
  std::copy(numbers.begin(), numbers.end(), all.data());
  return all;
}

bool same(const float* a, const float* b, Index count) {
  return std::memcmp(a, b, count * sizeof(float)) == 0;
}

}  // namespace

TEST(quantized_layers_are_the_equations_to_the_bit) {
  Random random(21);
  for (int i = 0; i < 60; ++i) {
    const Numbers8 n = draw(random);
    const Index rows = 1 + random.below(i % 10 == 0 ? 150 : 6), steps = random.below(5),
                hidden = n.shape.hidden;
    const bool lstm = n.shape.traits().has_cell_state();
    const auto x = array_of(random.numbers(steps * rows * n.shape.input, 2.0f));
    const auto h0 = array_of(random.numbers(rows * hidden, 1.0f)),
               c0 = array_of(random.numbers(rows * hidden, 1.0f));
    std::vector<Index> lengths(rows);
    for (Index row = 0; row < rows; ++row) lengths[row] = steps * (rows - row) / rows;
    Array<float> expected(steps * rows * hidden), h_n(rows * hidden), c_n(rows * hidden);
    for (Index row = 0; row < rows; ++row) {
      const float *h = h0.data() + row * hidden, *c = c0.data() + row * hidden;
      Plain plain{n, {h, h + hidden}, {c, c + hidden}};
      for (Index t = 0; t < lengths[row]; ++t) {
        plain.step(x.data() + (t * rows + row) * n.shape.input);
        std::copy(plain.h.begin(), plain.h.end(), expected.data() + (t * rows + row) * hidden);
      }
      std::copy(plain.h.begin(), plain.h.end(), h_n.data() + row * hidden);
      std::copy(plain.c.begin(), plain.c.end(), c_n.data() + row * hidden);
    }
    for (const QuantizedKernels* kernels : all_quantized()) {
      const Within here(std::string(kernels->name) + ", " + n.shape.traits().name + " " +
                        std::to_string(n.shape.input) + " to " + std::to_string(hidden));
      const Array<char> room(kernels->bytes(n.shape) + 64);
      char* panels = room.data() + (64 - reinterpret_cast<std::uintptr_t>(room.data()) % 64) % 64;
      kernels->pack(n.shape, n.weights(), panels);
      Array<float> output(steps * rows * hidden), h(rows * hidden), c(rows * hidden);
      QuantizedCall call;
      call.shape = n.shape;
      call.panels = panels;
      call.steps = steps;
      call.rows = rows;
      call.lengths = lengths.data();
      call.input = x.data();
      call.h0 = h0.data();
      call.c0 = lstm ? c0.data() : nullptr;
      call.output = output.data();
      call.h_n = h.data();
      call.c_n = lstm ? c.data() : nullptr;
      call.threads = 1 + static_cast<int>(random.below(3));
      kernels->forward(call);
      CHECK(same(output.data(), expected.data(), steps * rows * hidden));
      CHECK(same(h.data(), h_n.data(), rows * hidden));
      if (lstm) CHECK(same(c.data(), c_n.data(), rows * hidden));
    }
  }
}

TEST(quantized_kernels_go_with_those_for_floats) {
  CHECK(find_quantized_kernels("scalar") != nullptr);
  CHECK(find_quantized_kernels("none of them") == nullptr);
  CHECK(find_quantized_kernels(quantized_kernels().name) == &quantized_kernels());
}

}  // namespace sluicegate::test
