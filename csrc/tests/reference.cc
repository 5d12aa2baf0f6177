// Every row by itself, every step by itself, every sum in the order in which it is read.

#include <algorithm>
#include <cmath>

#include "problem.h"

namespace sluicegate::test {
namespace {

using Vector = std::vector<double>;

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// The nearest number of bfloat16, which has 8 bits, and of two as near the even one.
double rounded(double x) {
  int exponent;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
}

// out += M[first..] x, and out += M[first..]' x, of a matrix of `columns` columns.
void add_product(const std::vector<float>& m, Index first, const Vector& x, Vector& out) {
  const Index columns = static_cast<Index>(x.size());
  for (std::size_t j = 0; j < out.size(); ++j)
    for (Index k = 0; k < columns; ++k) out[j] += static_cast<double>(m[(first + j) * columns + k]) * x[k];
}
void add_transposed(const std::vector<float>& m, Index first, const Vector& x, Vector& out) {
  const Index columns = static_cast<Index>(out.size());
  for (std::size_t j = 0; j < x.size(); ++j)
    for (Index k = 0; k < columns; ++k) out[k] += static_cast<double>(m[(first + j) * columns + k]) * x[j];
}
void add_outer(const Vector& rows, const Vector& columns, Index first, Vector& out) {
  for (std::size_t j = 0; j < rows.size(); ++j)
    for (std::size_t k = 0; k < columns.size(); ++k)
      out[(first + j) * columns.size() + k] += rows[j] * columns[k];
}
void add(const Vector& x, Index first, Vector& out) {
  for (std::size_t j = 0; j < x.size(); ++j) out[first + j] += x[j];
}

// What a step saves for the backward pass.
struct Taken {
  Index t;
  Vector x, h, c;  // before the step
  Vector gate[4];  // by the letters of `CellTraits`
  Vector q;        // GRU: the product beside the reset gate
  Vector after;    // LSTM: c after the step
};

class Row {
 public:
  Row(const Problem& p, const Numbers& n, Index row, Reference& all, Result<double>::One& out)
      : p_(p),
        n_(n),
        row_(row),
        all_(all),
        out_(out),
        hidden_(p.shape.hidden),
        relu_(p.shape.activation == Activation::kRelu) {}

  void forward() {
    h_ = state(n_.h0);
    c_ = state(n_.c0);
    for (Index s = 0; s < p_.lengths[row_]; ++s) {
      Taken taken;
      taken.t = n_.reverse ? p_.lengths[row_] - 1 - s : s;
      const auto x = p_.input.begin() + (taken.t * p_.batch + row_) * p_.shape.input;
      taken.x.assign(x, x + p_.shape.input);
      taken.h = h_;
      taken.c = c_;
      step(taken);
      std::copy(h_.begin(), h_.end(), out_.output.begin() + (taken.t * p_.batch + row_) * hidden_);
      taken_.push_back(taken);
    }
    std::copy(h_.begin(), h_.end(), out_.h_n.begin() + row_ * hidden_);
    if (!out_.c_n.empty()) std::copy(c_.begin(), c_.end(), out_.c_n.begin() + row_ * hidden_);
  }

  void backward() {
    h_ = state(n_.h_n_gradient);
    c_ = state(n_.c_n_gradient);
    for (; !taken_.empty(); taken_.pop_back()) {
      const Taken& taken = taken_.back();
      if (!n_.output_gradient.empty())
        for (Index j = 0; j < hidden_; ++j)
          h_[j] += n_.output_gradient[(taken.t * p_.batch + row_) * hidden_ + j];
      step_back(taken);
    }
    std::copy(h_.begin(), h_.end(), out_.h0_gradient.begin() + row_ * hidden_);
    if (!out_.c0_gradient.empty()) std::copy(c_.begin(), c_.end(), out_.c0_gradient.begin() + row_ * hidden_);
  }

 private:
  Vector state(const std::vector<float>& states) const {
    if (states.empty()) return Vector(hidden_);
    return {states.begin() + row_ * hidden_, states.begin() + (row_ + 1) * hidden_};
  }
  double activate(double x) {
    if (!relu_) return std::tanh(x);
    if (x != 0.0) all_.nearest_kink = std::min(all_.nearest_kink, std::abs(x));
    return std::max(x, 0.0);
  }
  // The derivative, given what came out.
  double slope(double out) const { return relu_ ? out > 0.0 : 1.0 - out * out; }

  // As the weights take it.
  Vector operand(Vector x) const {
    if (p_.shape.precision == Precision::kBf16)
      for (double& v : x) v = rounded(v);
    return x;
  }

  Vector input_share(int gate, const Vector& x) const {
    Vector sum(hidden_);
    if (!n_.input_bias.empty()) std::copy_n(n_.input_bias.begin() + gate * hidden_, hidden_, sum.begin());
    add_product(n_.input_weights, gate * hidden_, operand(x), sum);
    return sum;
  }
  Vector hidden_share(int gate, const Vector& h) const {
    Vector sum(hidden_);
    if (!n_.hidden_bias.empty()) std::copy_n(n_.hidden_bias.begin() + gate * hidden_, hidden_, sum.begin());
    add_product(n_.hidden_weights, gate * hidden_, operand(h), sum);
    return sum;
  }
  Vector both(int gate, const Vector& x, const Vector& h) const {
    Vector sum = input_share(gate, x);
    add(hidden_share(gate, h), 0, sum);
    return sum;
  }

  void step(Taken& s) {
    auto& [a, b, c, d] = s.gate;
    a = p_.shape.recurrent() ? both(0, s.x, s.h) : input_share(0, s.x);
    switch (p_.shape.cell) {
      case Cell::kMinGru:
        b = input_share(1, s.x);
        for (Index j = 0; j < hidden_; ++j) {
          a[j] = sigmoid(a[j]);
          h_[j] = (1.0 - a[j]) * s.h[j] + a[j] * b[j];
        }
        break;
      case Cell::kLiGru:
        b = both(1, s.x, s.h);
        for (Index j = 0; j < hidden_; ++j) {
          a[j] = sigmoid(a[j]);
          b[j] = activate(b[j]);
          h_[j] = a[j] * s.h[j] + (1.0 - a[j]) * b[j];
        }
        break;
      case Cell::kRnn:
        for (double& v : a) v = activate(v);
        h_ = a;
        break;
      case Cell::kLstm:
        b = both(1, s.x, s.h);
        c = both(2, s.x, s.h);
        d = both(3, s.x, s.h);
        for (Index j = 0; j < hidden_; ++j) {
          a[j] = sigmoid(a[j]);
          b[j] = sigmoid(b[j]);
          c[j] = activate(c[j]);
          d[j] = sigmoid(d[j]);
          c_[j] = b[j] * s.c[j] + a[j] * c[j];
          h_[j] = d[j] * activate(c_[j]);
        }
        s.after = c_;
        break;
      default:
        b = both(1, s.x, s.h);
        for (double& v : a) v = sigmoid(v);
        for (double& v : b) v = sigmoid(v);
        c = input_share(2, s.x);
        s.q = hidden_share(2, p_.shape.cell == Cell::kGru ? s.h : reset(s));
        for (Index j = 0; j < hidden_; ++j) {
          c[j] = activate(c[j] + (p_.shape.cell == Cell::kGru ? a[j] : 1.0) * s.q[j]);
          h_[j] = (1.0 - b[j]) * c[j] + b[j] * s.h[j];
        }
    }
  }
  Vector reset(const Taken& s) const {
    Vector gated = s.h;
    for (Index j = 0; j < hidden_; ++j) gated[j] *= s.gate[0][j];
    return gated;
  }

  // From the gradients of h and c after the step to those before it.
  void step_back(const Taken& s) {
    const auto& [a, b, c, d] = s.gate;
    Vector x_gradient(p_.shape.input), before(hidden_);
    Vector sum[4] = {h_, h_, h_, h_};  // the gradients of the gates' sums
    switch (p_.shape.cell) {
      case Cell::kMinGru:
        for (Index j = 0; j < hidden_; ++j) {
          sum[0][j] = h_[j] * (b[j] - s.h[j]) * a[j] * (1.0 - a[j]);
          sum[1][j] = h_[j] * a[j];
          before[j] = h_[j] * (1.0 - a[j]);
        }
        for (int gate = 0; gate < 2; ++gate) input_back(gate, s, sum[gate], x_gradient);
        break;
      case Cell::kLiGru:
        for (Index j = 0; j < hidden_; ++j) {
          sum[0][j] = h_[j] * (s.h[j] - b[j]) * a[j] * (1.0 - a[j]);
          sum[1][j] = h_[j] * (1.0 - a[j]) * slope(b[j]);
          before[j] = h_[j] * a[j];
        }
        for (int gate = 0; gate < 2; ++gate)
          gate_back(gate, s, sum[gate], sum[gate], s.h, x_gradient, before);
        break;
      case Cell::kRnn:
        for (Index j = 0; j < hidden_; ++j) sum[0][j] = h_[j] * slope(a[j]);
        gate_back(0, s, sum[0], sum[0], s.h, x_gradient, before);
        break;
      case Cell::kLstm:
        for (Index j = 0; j < hidden_; ++j) {
          const double shown = relu_ ? std::max(s.after[j], 0.0) : std::tanh(s.after[j]);
          const double dc = c_[j] + h_[j] * d[j] * slope(shown);
          sum[0][j] = dc * c[j] * a[j] * (1.0 - a[j]);
          sum[1][j] = dc * s.c[j] * b[j] * (1.0 - b[j]);
          sum[2][j] = dc * a[j] * slope(c[j]);
          sum[3][j] = h_[j] * shown * d[j] * (1.0 - d[j]);
          c_[j] = dc * b[j];
        }
        for (int gate = 0; gate < 4; ++gate)
          gate_back(gate, s, sum[gate], sum[gate], s.h, x_gradient, before);
        break;
      default:
        for (Index j = 0; j < hidden_; ++j) {
          sum[1][j] = h_[j] * (s.h[j] - c[j]) * b[j] * (1.0 - b[j]);
          sum[2][j] = h_[j] * (1.0 - b[j]) * slope(c[j]);
          before[j] = h_[j] * b[j];
        }
        gru_back(s, sum, x_gradient, before);
    }
    for (Index k = 0; k < p_.shape.input; ++k)
      out_.input_gradient[(s.t * p_.batch + row_) * p_.shape.input + k] = x_gradient[k];
    h_ = before;
  }

  void gru_back(const Taken& s, Vector (&sum)[4], Vector& x_gradient, Vector& before) {
    const Vector& r = s.gate[0];
    if (p_.shape.cell == Cell::kGru) {
      Vector product = sum[2];
      for (Index j = 0; j < hidden_; ++j) {
        product[j] *= r[j];
        sum[0][j] = sum[2][j] * s.q[j] * r[j] * (1.0 - r[j]);
      }
      gate_back(2, s, sum[2], product, s.h, x_gradient, before);
    } else {
      Vector gated(hidden_);
      gate_back(2, s, sum[2], sum[2], reset(s), x_gradient, gated);
      for (Index j = 0; j < hidden_; ++j) {
        before[j] += gated[j] * r[j];
        sum[0][j] = gated[j] * s.h[j] * r[j] * (1.0 - r[j]);
      }
    }
    gate_back(0, s, sum[0], sum[0], s.h, x_gradient, before);
    gate_back(1, s, sum[1], sum[1], s.h, x_gradient, before);
  }

  // A gate is (W x + b) and (U v + b'); `input` and `hidden` are the gradients of the two.
  void gate_back(int gate, const Taken& s, const Vector& input, const Vector& hidden, const Vector& v,
                 Vector& x_gradient, Vector& v_gradient) {
    const Index first = gate * hidden_;
    input_back(gate, s, input, x_gradient);
    add_transposed(n_.hidden_weights, first, operand(hidden), v_gradient);
    add_outer(hidden, v, first, out_.hidden_weight_gradient);
    add(hidden, first, out_.hidden_bias_gradient);
  }
  void input_back(int gate, const Taken& s, const Vector& input, Vector& x_gradient) {
    const Index first = gate * hidden_;
    add_transposed(n_.input_weights, first, operand(input), x_gradient);
    add_outer(input, s.x, first, out_.input_weight_gradient);
    add(input, first, out_.input_bias_gradient);
  }

  const Problem& p_;
  const Numbers& n_;
  const Index row_;
  Reference& all_;
  Result<double>::One& out_;
  const Index hidden_;
  const bool relu_;
  Vector h_, c_;  // the state; in the backward pass, its gradient
  std::vector<Taken> taken_;
};

}  // namespace

Reference reference(const Problem& given) {
  Problem p = given;
  if (p.shape.precision == Precision::kBf16)
    for (Numbers& n : p.directions)
      for (auto* weights : {&n.input_weights, &n.hidden_weights})
        for (float& w : *weights) w = static_cast<float>(rounded(w));
  Reference all;
  const Index states = p.batch * p.shape.hidden, gates = p.shape.gates() * p.shape.hidden;
  const Index cell_states = p.shape.cell == Cell::kLstm ? states : 0;
  for (const Numbers& n : p.directions) {
    Result<double>::One out;
    out.output.resize(p.steps * states);
    out.h_n.resize(states);
    out.c_n.resize(cell_states);
    out.input_gradient.resize(p.steps * p.batch * p.shape.input);
    out.h0_gradient.resize(states);
    out.c0_gradient.resize(cell_states);
    out.input_weight_gradient.resize(gates * p.shape.input);
    out.hidden_weight_gradient.resize(gates * p.shape.hidden);
    out.input_bias_gradient.resize(gates);
    out.hidden_bias_gradient.resize(gates);
    for (Index row = 0; row < p.batch; ++row) {
      Row one(p, n, row, all, out);
      one.forward();
      one.backward();
    }
    all.directions.push_back(out);
  }
  return all;
}

}  // namespace sluicegate::test
