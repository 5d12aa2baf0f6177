"""`model.c` and `model.h`: the state, and the step that takes the caller's to the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluicegate.export.layers import inputs_of, units_of
from sluicegate.export.network import Member, Network
from sluicegate.ops.cells import GATES
from sluicegate.ops.quantized_reference import Layer

from . import arithmetic
from .cells import STRUCT, Kind, function, kind_of
from .constants import Constants, deep
from .forecast import forecast_step, functions_of, kept_of
from .frames import arrays_of, decide, frame_step
from .plain import plain_step


@dataclass(frozen=True)
class Sources:
    """The text of both files.

    Args:
        header: `model.h`.
        source: `model.c`.
        state_bytes: of the caller's struct.
        constant_bytes: of all constants.
    """

    header: str
    source: str
    state_bytes: int
    constant_bytes: int


def sources(network: Network, name: str, version: str) -> Sources:
    """Write a network down in C99.

    Args:
        network: what is written down.
        name: what all names of the C begin with.
        version: of this package, for the first line.
    """
    big = name.upper()
    constants = Constants()
    members = [_member(constants, member, number) for number, member in enumerate(network.members)]
    scaled = network.mean is not None
    if scaled:
        constants.add("mean", network.mean)
        constants.add("unit", network.unit)
    layers = [layer for member in network.members for layer in member.layers]
    lstm = layers[0].cell == "lstm"
    units = sum(units_of(layer) for layer in layers)
    forecast = network.forecast
    fields = [("h", units), *([("c", units)] if lstm else [])] if forecast is None else kept_of(forecast)
    if network.shape is not None:
        fields += arrays_of(network.shape)
    numbers = sum(count for _, count in fields) + (0 if forecast is None else 2)
    write = plain_step if network.shape is None else frame_step
    step = (write if forecast is None else forecast_step)(network, constants, members, name)
    kinds = _kinds(network)
    widest = max(units_of(layer) for layer in [*layers, *_fronts(network)])
    deepest = max(deep(max(inputs_of(layer), units_of(layer))) for layer in layers)
    parts = [
        f"/* Written by Sluicegate {version}: see {name}.h. */",
        f'#include "{name}.h"\n\n#include <string.h>\n',
        f"#define {big}_WIDEST {widest}",
        *([f"#define {big}_DEEPEST {deepest}"] if _whole(kinds) else []),
        f"typedef char {name}_state_has_its_size[sizeof(struct {name}_state) == {big}_STATE_BYTES ? 1 : -1];\n",
        STRUCT,
        *constants.texts,
        "",
        *_functions(network, kinds),
        *([] if forecast is None else functions_of(forecast)),
        *(function(kind, big) for kind in kinds),
        step,
        _reset(network, name),
        f"void {name}_init(struct {name}_state *state) {{ {name}_reset(state); }}",
    ]
    if network.held_back is not None:
        parts.append("\n" + decide(network, name))
    header = _header(network, name, version, fields, 4 * numbers, constants.nbytes)
    return Sources(header, "\n".join(parts) + "\n", 4 * numbers, constants.nbytes)


def _member(constants: Constants, member: Member, number: int) -> dict[str, Any]:
    """Put the weights of a member down: the names of its structs and its head."""
    own = f"m{number}"
    return {
        "front": None if member.front is None else constants.layer(f"{own}_front", member.front),
        "layers": [constants.layer(f"{own}_l{depth}", layer) for depth, layer in enumerate(member.layers)],
        "weight": constants.add(f"{own}_head", member.weight),
        "bias": constants.add(f"{own}_head_bias", member.bias),
    }


def _reset(network: Network, name: str) -> str:
    clear = "memset(state, 0, sizeof *state);"
    if network.forecast is None:
        return f"void {name}_reset(struct {name}_state *state) {{ {clear} }}\n"
    return f"""\
void {name}_reset(struct {name}_state *state) {{
  {clear}
  state->next = INT64_C({network.forecast.next});
}}
"""


def _fronts(network: Network) -> list[Layer]:
    return [member.front for member in network.members if member.front is not None]


def _kinds(network: Network) -> list[Kind]:
    found = [kind_of(layer) for member in network.members for layer in member.layers]
    return list(dict.fromkeys([*map(kind_of, _fronts(network)), *found]))


def _whole(kinds: list[Kind]) -> bool:
    return any("whole" in (kind.input, kind.hidden) for kind in kinds)


def _functions(network: Network, kinds: list[Kind]) -> list[str]:
    """What of the arithmetic is used."""
    used = [arithmetic.OPERATIONS]
    squashes = any(kind.activation == "tanh" and kind.cell != "mingru" for kind in kinds)
    gated = any(kind.cell != "rnn" for kind in kinds)
    used += [arithmetic.CURVES] if squashes or gated else []
    used += [arithmetic.SIGMOID] if gated else []
    used += [arithmetic.TANH] if squashes else []
    used += [arithmetic.RELU] if any(kind.activation == "relu" for kind in kinds) else []
    used += [arithmetic.MIX] if any(kind.cell in ("gru", "ligru") for kind in kinds) else []
    products = {how for kind in kinds for how in (kind.input, kind.hidden)}
    headed = any(member.weight is not None for member in network.members)
    used += [arithmetic.LANES] if "lanes" in products or headed else []
    used += [arithmetic.SERIAL] if "serial" in products else []
    if "whole" in products:
        used += [arithmetic.WHOLE, arithmetic.ROUNDED]
        gates = {GATES[kind.cell] for kind in kinds if "whole" in (kind.input, kind.hidden)}
        used += [arithmetic.sums(count) for count in sorted(gates)]
    used += [arithmetic.SOFTMAX] if network.prior is not None else []
    return used


_TIMES = {
    "clock": "microseconds of the local clock since 1970",
    "integer": "a whole number, as in training",
    "month": "months since the year 0",
}

_FORECAST = """
/* A step is both: to read a row of {columns} numbers, the next in time of its series, and to say what follows it,
   given what is known in advance of the rows ahead. `init` and `reset` set the time to that of the row that follows
   training. */
void {name}_read(struct {name}_state *state, const float *row);
void {name}_forecast(const struct {name}_state *state, const float *input, float *output);
"""


def _header(
    network: Network, name: str, version: str, fields: list[tuple[str, int]], state: int, constants: int
) -> str:
    big = name.upper()
    held = "\n".join(f"  float {field}[{count}];" for field, count in fields)
    forecast = network.forecast
    apart = ""
    if forecast is not None:
        held = f"  int64_t next; /* The time of the next row: {_TIMES[forecast.trained.clock.kind]}. */\n{held}"
        apart = _FORECAST.format(name=name, columns=len(forecast.trained.columns))
    decided = f"\n/* The number of the class that is decided for. */\nint {name}_decide(const float *output);\n"
    return f"""\
/* Written by Sluicegate {version}.

   The weights are constants; all that changes is the state, which is the caller's: copy it by memcpy to keep it, and
   copy it back to go on from there. Nothing is allocated, printed or remembered elsewhere, and no two states know of
   each other. Compile it with -ffp-contract=off and without -ffast-math, so that every machine gives the same bits.

   Inputs: {", ".join(network.inputs)}
   Outputs: {", ".join(network.outputs)} */
#ifndef {big}_H
#define {big}_H

#include <stdint.h>

#define {big}_INPUTS {len(network.inputs)}
#define {big}_OUTPUTS {len(network.outputs)}
{"" if forecast is None else f"#define {big}_HORIZON {forecast.trained.shape.horizon}{chr(10)}"}\
#define {big}_STATE_BYTES {state}
/* Of the constants; the code comes on top. */
#define {big}_FLASH_BYTES {constants}
/* Of a step that computes the layers. */
#define {big}_MULTIPLY_ADDS {network.multiply_adds}
#define {big}_FINGERPRINT "{network.fingerprint}"

#ifdef __cplusplus
extern "C" {{
#endif

struct {name}_state {{
{held}
}};

/* Begin: nothing was read yet. */
void {name}_init(struct {name}_state *state);

/* Read a step and answer it: {len(network.inputs)} numbers in, {len(network.outputs)} out. */
void {name}_step(struct {name}_state *state, const float *input, float *output);

/* Begin anew. */
void {name}_reset(struct {name}_state *state);
{decided if network.held_back is not None else ""}{apart}
#ifdef __cplusplus
}}
#endif

#endif
"""
