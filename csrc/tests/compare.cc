#include "compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "check.h"

namespace sluicegate::test {
namespace {

double closest = 0.0;

template <class T>
struct Named {
  const char* name;
  const std::vector<T>* numbers;
};

template <class T>
std::vector<Named<T>> of_rows(const typename Result<T>::One& r) {
  return {{"output", &r.output},
          {"h_n", &r.h_n},
          {"c_n", &r.c_n},
          {"input gradient", &r.input_gradient},
          {"h0 gradient", &r.h0_gradient},
          {"c0 gradient", &r.c0_gradient}};
}
template <class T>
std::vector<Named<T>> of_weights(const typename Result<T>::One& r) {
  return {{"input weight gradient", &r.input_weight_gradient},
          {"hidden weight gradient", &r.hidden_weight_gradient},
          {"input bias gradient", &r.input_bias_gradient},
          {"hidden bias gradient", &r.hidden_bias_gradient}};
}

void tell(std::size_t direction, const char* name, std::size_t at, float got, double wanted) {
  std::ostringstream text;
  text.precision(9);
  text << name << " " << at << " of direction " << direction << " is " << got << ", not " << wanted;
  fail(__FILE__, __LINE__, text.str());
}

void check_array(std::size_t direction, const Named<float>& got, const Named<double>& wanted,
                 double tolerance) {
  if (got.numbers->empty()) return;
  CHECK_EQUAL(got.numbers->size(), wanted.numbers->size());
  double largest = 1.0;
  for (double number : *wanted.numbers) largest = std::max(largest, std::abs(number));
  for (std::size_t i = 0; i < got.numbers->size(); ++i) {
    const double difference = std::abs((*got.numbers)[i] - (*wanted.numbers)[i]) / (tolerance * largest);
    if (!(difference <= 1.0)) return tell(direction, got.name, i, (*got.numbers)[i], (*wanted.numbers)[i]);
    closest = std::max(closest, difference);
  }
}

void check_bits(std::size_t direction, const Named<float>& got, const Named<float>& wanted) {
  CHECK_EQUAL(got.numbers->size(), wanted.numbers->size());
  for (std::size_t i = 0; i < got.numbers->size(); ++i) {
    const float& one = (*got.numbers)[i];
    const float& other = (*wanted.numbers)[i];
    if (std::memcmp(&one, &other, sizeof(float)) != 0) return tell(direction, got.name, i, one, other);
  }
}

}  // namespace

void check_close(const Result<float>& got, const Result<double>& wanted, double tolerance) {
  for (std::size_t d = 0; d < wanted.directions.size(); ++d)
    for (auto parts : {0, 1}) {
      const auto ours = (parts ? of_weights<float> : of_rows<float>)(got.directions[d]);
      const auto theirs = (parts ? of_weights<double> : of_rows<double>)(wanted.directions[d]);
      for (std::size_t i = 0; i < ours.size(); ++i) check_array(d, ours[i], theirs[i], tolerance);
    }
}

void check_same_rows(const Result<float>& got, const Result<float>& wanted) {
  for (std::size_t d = 0; d < wanted.directions.size(); ++d) {
    const auto one = of_rows<float>(got.directions[d]), other = of_rows<float>(wanted.directions[d]);
    for (std::size_t i = 0; i < one.size(); ++i) check_bits(d, one[i], other[i]);
  }
}

void check_same(const Result<float>& got, const Result<float>& wanted) {
  check_same_rows(got, wanted);
  for (std::size_t d = 0; d < wanted.directions.size(); ++d) {
    const auto one = of_weights<float>(got.directions[d]), other = of_weights<float>(wanted.directions[d]);
    for (std::size_t i = 0; i < one.size(); ++i) check_bits(d, one[i], other[i]);
  }
}

double closest_call() { return closest; }

}  // namespace sluicegate::test
