// What a cell is, said once: the kernels go by it, and Python reads it from `_core.cells`. A cell more is an
// entry here, a step in kernels/cells.h and its derivative in kernels/derivatives.h.
#pragma once

namespace sluicegate {

// kGruBefore: the reset gate acts before the product.
enum class Cell { kGru, kGruBefore, kLstm, kRnn, kMinGru, kLiGru };
enum class Activation { kTanh, kRelu };

// One letter for each of some gates, or of the numbers that are kept of a step.
struct Letters {
  const char* text = "";
  int count = 0;

  consteval Letters() = default;
  consteval Letters(const char* letters) : text(letters) {
    while (letters[count]) ++count;
  }
};

// Where the gradients of the gates lie in a row of them, in units of `hidden`. Those that the recurrent
// weights take follow each other, and those that the input weights take.
struct GradientRow {
  int parts;
  int recurrent, input;  // where either begins
  int of_recurrent[4];   // by gate
  int of_input[4];
};

struct CellTraits {
  const char* name;  // as Python has it
  Letters gates;     // in the order in which the weights have them
  // What training keeps for each unit and step: the gates, q, the product beside the reset gate, and last h,
  // or c of a cell that has one. Where h is not the last, the backward pass finds it in the outputs.
  Letters saved;
  Letters state = "h";  // or h and c
  // Gates that are computed together, with one product of a step: those of the second phase wait for the
  // first.
  int phases = 1;
  Letters phase[2];
  // Whether the gates see the state: there are recurrent weights and biases.
  bool recurrent = true;
  // Whether the last gate's recurrent product does not go into one sum with the input's share.
  bool apart = false;
  // Whether a part of the gradient of h after goes to h before past the product.
  bool carries = true;
  // Whether anything goes through the activation.
  bool activation = true;
  GradientRow gradient;

  constexpr bool has_cell_state() const { return state.count == 2; }
  constexpr bool saves_state() const { return saved.count && saved.text[saved.count - 1] == 'h'; }
  constexpr int phase_begin(int i) const { return i == 0 ? 0 : phase[0].count; }
};

// In the order of `Cell`.
constexpr CellTraits kCells[] = {
    {.name = "gru",
     .gates = "rzn",
     .saved = "rznqh",
     .phase = {"rzn"},
     .apart = true,
     .gradient = {4, 0, 1, {1, 2, 0}, {1, 2, 3}}},  // of the product beside r, of r, of z, of n
    {.name = "gru_reset_before",
     .gates = "rzn",
     .saved = "rznh",
     .phases = 2,
     .phase = {"rz", "n"},
     .gradient = {3, 0, 0, {0, 1, 2}, {0, 1, 2}}},
    {.name = "lstm",
     .gates = "ifgo",
     .saved = "ifgoc",
     .state = "hc",
     .phase = {"ifgo"},
     .carries = false,
     .gradient = {4, 0, 0, {0, 1, 2, 3}, {0, 1, 2, 3}}},
    {.name = "rnn",
     .gates = "n",
     .saved = "h",
     .phase = {"n"},
     .carries = false,
     .gradient = {1, 0, 0, {0}, {0}}},
    {.name = "mingru",
     .gates = "zn",
     .saved = "",  // the backward pass needs the outputs alone
     .phase = {"zn"},
     .recurrent = false,
     .activation = false,
     .gradient = {2, 0, 0, {0, 1}, {0, 1}}},
    {.name = "ligru", .gates = "zn", .saved = "znh", .phase = {"zn"}, .gradient = {2, 0, 0, {0, 1}, {0, 1}}},
};

}  // namespace sluicegate
