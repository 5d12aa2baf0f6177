"""A step of each cell in C, unit by unit, as `sluicegate.ops.reference` has its equations."""

from __future__ import annotations

from typing import NamedTuple

from sluicegate.ops.cells import GATES
from sluicegate.ops.quantized_reference import Layer, Matrix

LANES = 8
"""Of rows of whole numbers so many lie together; their depth is filled up to a multiple of it."""


class Kind(NamedTuple):
    """Layers of one kind share a function."""

    cell: str
    activation: str
    input: str
    """How the input is multiplied: `lanes` and `serial` of floats, `whole` of whole numbers."""
    hidden: str
    """The same of the state, or `none`."""

    @property
    def name(self) -> str:
        """Of its function."""
        short = {"lanes": "f", "serial": "s", "whole": "q", "none": "n"}
        relu = "_relu" if self.activation == "relu" else ""
        return f"{self.cell}{relu}_{short[self.input]}{short[self.hidden]}"


def kind_of(layer: Layer) -> Kind:
    """The kind of a layer: a first input of floats beside whole numbers is added up in their order."""
    whole = layer.hidden is not None and layer.hidden.scale is not None
    given = "whole" if layer.input.scale is not None else "serial" if whole else "lanes"
    return Kind(layer.cell, layer.activation, given, _of(layer.hidden))


def _of(matrix: Matrix | None) -> str:
    return "none" if matrix is None else "lanes" if matrix.scale is None else "whole"


STRUCT = """\
struct layer {
  int inputs;
  int units;
  int depth;        /* of rows of whole numbers of the input */
  int width;        /* the same of the state */
  int each_input;   /* 1 where each number of the input has a factor of its own, else 0 */
  int each_state;
  const float *w;   /* weights of the input, the gates of a unit one behind the other; of floats */
  const float *r;   /* of the state */
  const int8_t *qw; /* the same of whole numbers */
  const int8_t *qr;
  const float *w_scale;
  const float *r_scale;
  const float *w_factor;
  const float *r_factor;
  const float *bias;
  const float *state_bias; /* of a GRU's candidate */
};
"""

_EQUATIONS = {
    "gru": """\
    r = sigmoid(plus(x_[0], q_[0]));
    z = sigmoid(plus(x_[1], q_[1]));
    n = {act}(plus(x_[2], times(r, plus(q_[2], l->state_bias[j]))));
    after[j] = mix(z, n, h[j]);
""",
    "lstm": """\
    i = sigmoid(plus(x_[0], q_[0]));
    f = sigmoid(plus(x_[1], q_[1]));
    g = {act}(plus(x_[2], q_[2]));
    o = sigmoid(plus(x_[3], q_[3]));
    c[j] = plus(times(f, c[j]), times(i, g));
    after[j] = times(o, {act}(c[j]));
""",
    "rnn": """\
    after[j] = {act}(plus(x_[0], q_[0]));
""",
    "mingru": """\
    z = sigmoid(x_[0]);
    after[j] = plus(times(minus(1.0f, z), h[j]), times(z, x_[1]));
""",
    "ligru": """\
    z = sigmoid(plus(x_[0], q_[0]));
    n = {act}(plus(x_[1], q_[1]));
    after[j] = mix(z, n, h[j]);
""",
    "map": """\
    after[j] = {act}(x_[0]);
""",
}
_LOCALS = {"gru": "r, z, n", "lstm": "i, f, g, o", "rnn": "", "mingru": "z", "ligru": "z, n", "map": ""}


def function(kind: Kind, prefix: str) -> str:
    """The function that takes a step of layers of a kind."""
    gates = GATES[kind.cell]
    form = "map" if kind.hidden == "none" and kind.cell == "rnn" else kind.cell
    act = "rectify" if kind.activation == "relu" else "squash"
    state = ", float *c" if kind.cell == "lstm" else ""
    names = f"    float {_LOCALS[form]};\n" if _LOCALS[form] else ""
    named = kind.hidden != "none"
    rounds = _rounding(kind, prefix)
    whole = "whole" in (kind.input, kind.hidden)
    return f"""\
static void {kind.name}(const struct layer *l, const float *x, float *h{state}) {{
  float after[{prefix}_WIDEST];
{rounds[0]}  int j;
{rounds[1]}  for (j = 0; j < l->units; j++) {{
    float x_[{gates}];
{f"    float q_[{gates}];{chr(10)}" if named else ""}{names}\
{f"    int32_t s[{gates}];{chr(10)}" if whole else ""}\
{_share(kind.input, gates, "x_", "w", "ux", "x", "l->inputs", "l->depth")}\
{_share(kind.hidden, gates, "q_", "r", "uh", "h", "l->units", "l->width") if named else ""}\
{_EQUATIONS[form].format(act=act)}  }}
  for (j = 0; j < l->units; j++) h[j] = after[j];
}}
"""


def _rounding(kind: Kind, prefix: str) -> tuple[str, str]:
    """Where rounded numbers lie, and how they get there."""
    room = make = ""
    if kind.input == "whole":
        room += f"  int16_t ux[{prefix}_DEEPEST];\n"
        make += "  wholes(x, l->inputs, l->depth, l->w_factor, l->each_input, ux);\n"
    if kind.hidden == "whole":
        room += f"  int16_t uh[{prefix}_DEEPEST];\n"
        make += "  wholes(h, l->units, l->width, l->r_factor, l->each_state, uh);\n"
    return room, make


def _share(how: str, gates: int, to: str, of: str, rounded: str, given: str, count: str, depth: str) -> str:
    """A unit's sums of one of both products, in `to`; those of the input with the bias."""
    biased, lines = of == "w", ""
    if how == "whole":
        lines = f"    sums_{gates}(l->q{of} + {gates} * j * {depth}, {rounded}, {depth}, s);\n"
    for gate in range(gates):
        row = f"{gates} * j + {gate}"
        product = {
            "whole": f"times((float)s[{gate}], l->{of}_scale[{row}])",
            "serial": f"serial(l->bias[{row}], l->{of} + ({row}) * {count}, {given}, {count})",
            "lanes": f"lanes(l->{of} + ({row}) * {count}, {given}, {count})",
        }[how]
        total = f"plus({product}, l->bias[{row}])" if biased and how != "serial" else product
        lines += f"    {to}[{gate}] = {total};\n"
    return lines
