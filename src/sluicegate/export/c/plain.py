"""The step of layers that read each step as it comes."""

from __future__ import annotations

from typing import Any

from sluicegate.export.layers import units_of
from sluicegate.export.network import Network

from .cells import kind_of
from .constants import Constants


def layer_calls(
    network: Network, members: list[dict[str, Any]], member: int, first: str, indent: str
) -> tuple[str, str]:
    """The calls of a member's layers, and where the last one puts its output.

    Args:
        network: whose layers they are.
        members: the names of the constants.
        member: which of the members.
        first: what the first layer reads.
        indent: before each line.
    """
    at = sum(units_of(layer) for other in network.members[:member] for layer in other.layers)
    lines, read = [], first
    for layer, name in zip(network.members[member].layers, members[member]["layers"], strict=True):
        cell_state = f", state->c + {at}" if layer.cell == "lstm" else ""
        lines.append(f"{indent}{kind_of(layer).name}(&{name}, {read}, state->h + {at}{cell_state});\n")
        read = f"state->h + {at}"
        at += units_of(layer)
    return "".join(lines), read


def plain_step(network: Network, constants: Constants, members: list[dict[str, Any]], name: str) -> str:
    """The step of one network without frames."""
    del constants
    inputs, outputs = len(network.inputs), len(network.outputs)
    scaled = network.mean is not None
    calls, read = layer_calls(network, members, 0, "x" if scaled else "input", "  ")
    room = f"  float x[{inputs}];\n" if scaled else ""
    scale = (
        f"  for (k = 0; k < {inputs}; k++) x[k] = (float)(((double)input[k] - mean[k]) / unit[k]);\n" if scaled else ""
    )
    units = units_of(network.members[0].layers[-1])
    head = f"  for (k = 0; k < {outputs}; k++) output[k] = ({read})[k];\n"
    if network.members[0].weight is not None:
        weight, bias = members[0]["weight"], members[0]["bias"]
        product = f"lanes({weight} + {units} * k, {read}, {units})"
        head = f"  for (k = 0; k < {outputs}; k++) output[k] = plus({bias}[k], {product});\n"
    return f"""\
void {name}_step(struct {name}_state *state, const float *input, float *output) {{
{room}  int k;
{scale}{calls}{head}}}
"""
