// The numbers by which Python tells the kernels what to compute. Their order is said here alone: Python goes
// by the names, which `_core.arguments` lists.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "sluicegate/recurrent.h"

namespace arguments {

using sluicegate::Direction, sluicegate::Grid, sluicegate::Index, sluicegate::Sequences, sluicegate::Shape,
    sluicegate::Weights;

// Addresses come as numbers: handing over a dozen arrays by DLPack takes longer than a small layer computes.
// `sluicegate.ops.kernel_calls` checks shapes, types and strides, and keeps the arrays alive.
template <class T>
T from_number(Index number) {
  if constexpr (std::is_pointer_v<T>)
    return reinterpret_cast<T>(number);  // NOLINT(performance-no-int-to-ptr)
  else
    return static_cast<T>(number);
}

// Sets a member, or a member of a member.
template <auto Member, auto... Inner, class T>
void put(T& to, Index number) {
  if constexpr (sizeof...(Inner))
    put<Inner...>(to.*Member, number);
  else
    to.*Member = from_number<std::remove_reference_t<decltype(to.*Member)>>(number);
}

template <class T>
struct Argument {
  const char* name;
  void (*put)(T&, Index);
};

inline constexpr Argument<Shape> kShape[] = {{"cell", put<&Shape::cell>},
                                             {"activation", put<&Shape::activation>},
                                             {"input", put<&Shape::input>},
                                             {"hidden", put<&Shape::hidden>},
                                             {"precision", put<&Shape::precision>}};

inline constexpr Argument<Sequences> kSequences[] = {{"steps", put<&Sequences::steps>},
                                                     {"batch", put<&Sequences::batch>},
                                                     {"lengths", put<&Sequences::lengths>},
                                                     {"order", put<&Sequences::order>},
                                                     {"offsets", put<&Sequences::offsets>}};

inline constexpr Argument<Grid<const float>> kGrid[] = {{"data", put<&Grid<const float>::data>},
                                                        {"step", put<&Grid<const float>::step>},
                                                        {"row", put<&Grid<const float>::row>}};

inline constexpr Argument<Weights> kWeights[] = {{"input_weight", put<&Weights::input>},
                                                 {"hidden_weight", put<&Weights::hidden>},
                                                 {"input_bias", put<&Weights::input_bias>},
                                                 {"hidden_bias", put<&Weights::hidden_bias>}};

// Of a direction, and what the backward pass takes beside it.
inline constexpr Argument<Direction> kForward[] = {
    {"panels", put<&Direction::panels>},
    {"h0", put<&Direction::h0>},
    {"c0", put<&Direction::c0>},
    {"output", put<&Direction::output, &Grid<float>::data>},
    {"output_step", put<&Direction::output, &Grid<float>::step>},
    {"output_row", put<&Direction::output, &Grid<float>::row>},
    {"h_n", put<&Direction::h_n>},
    {"c_n", put<&Direction::c_n>},
    {"saved", put<&Direction::saved>},
    {"cell_states", put<&Direction::cell_states>},
    {"input_weight", put<&Direction::weights, &Weights::input>},
    {"hidden_weight", put<&Direction::weights, &Weights::hidden>},
    {"input_bias", put<&Direction::weights, &Weights::input_bias>},
    {"hidden_bias", put<&Direction::weights, &Weights::hidden_bias>},
};
inline constexpr Argument<Direction> kBackward[] = {
    {"backward_panels", put<&Direction::backward_panels>},
    {"output_gradient", put<&Direction::output_gradient, &Grid<const float>::data>},
    {"output_gradient_step", put<&Direction::output_gradient, &Grid<const float>::step>},
    {"output_gradient_row", put<&Direction::output_gradient, &Grid<const float>::row>},
    {"h_n_gradient", put<&Direction::h_n_gradient>},
    {"c_n_gradient", put<&Direction::c_n_gradient>},
    {"input_gradient", put<&Direction::input_gradient, &Grid<float>::data>},
    {"input_gradient_step", put<&Direction::input_gradient, &Grid<float>::step>},
    {"input_gradient_row", put<&Direction::input_gradient, &Grid<float>::row>},
    {"h0_gradient", put<&Direction::h0_gradient>},
    {"c0_gradient", put<&Direction::c0_gradient>},
    {"input_weight_gradient", put<&Direction::input_weight_gradient>},
    {"hidden_weight_gradient", put<&Direction::hidden_weight_gradient>},
    {"input_bias_gradient", put<&Direction::input_bias_gradient>},
    {"hidden_bias_gradient", put<&Direction::hidden_bias_gradient>},
};

// All of a list of arguments, one after the other.
template <class T, std::size_t N>
void put_all(const Argument<T> (&list)[N], const Index* numbers, T& to) {
  for (std::size_t i = 0; i < N; ++i) list[i].put(to, numbers[i]);
}

using ShapeNumbers = std::array<Index, std::size(kShape)>;
using SequenceNumbers = std::array<Index, std::size(kSequences)>;
using GridNumbers = std::array<Index, std::size(kGrid)>;
using WeightNumbers = std::array<Index, std::size(kWeights)>;
using DirectionNumbers = std::vector<Index>;

template <class T, std::size_t N>
T made_of(const Argument<T> (&list)[N], const std::array<Index, N>& numbers) {
  T made;
  put_all(list, numbers.data(), made);
  return made;
}

// So many inputs and units at most: the floats of all weights can then be counted in an Index.
inline constexpr Index kMostUnits = Index{1} << 28;

// Refuses a cell, an activation and a precision that there are not, before they become one.
inline Shape shape_of(const ShapeNumbers& numbers) {
  const Index limits[] = {std::ssize(sluicegate::kCells),
                          static_cast<Index>(sluicegate::Activation::kRelu) + 1, kMostUnits, kMostUnits,
                          static_cast<Index>(sluicegate::Precision::kBf16) + 1};
  static_assert(std::size(limits) == std::size(kShape));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i] < 0 || numbers[i] >= limits[i])
      throw std::invalid_argument("the " + std::string(kShape[i].name) + " of a shape is from 0 to " +
                                  std::to_string(limits[i] - 1) + ", not " + std::to_string(numbers[i]));
  return made_of(kShape, numbers);
}

inline void put_direction(const DirectionNumbers& numbers, Direction& to) {
  constexpr std::size_t forward = std::size(kForward), both = forward + std::size(kBackward);
  if (numbers.size() != forward && numbers.size() != both)
    throw std::invalid_argument("a direction is " + std::to_string(forward) + " numbers, or " +
                                std::to_string(both) + " in the backward pass");
  put_all(kForward, numbers.data(), to);
  if (numbers.size() == both) put_all(kBackward, numbers.data() + forward, to);
}

}  // namespace arguments
