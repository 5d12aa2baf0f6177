"""The step of causal networks of recordings, as `sluicegate.runtime.recordings.reading` computes it.

features    the channels and their changes, standardised
frames      some steps of them, every `stride` steps, through a map with relu and the recurrent layers
pooled      the last state, the running mean and the running maximum
answer      the mean of the networks' logits as probabilities, which holds until the next frame ends
"""

from __future__ import annotations

from typing import Any

from sluicegate.export.network import Network
from sluicegate.runtime.recordings.shape import Shape

from .cells import kind_of
from .constants import Constants
from .plain import layer_calls


def arrays_of(shape: Shape) -> list[tuple[str, int]]:
    """The arrays of the state beside the recurrent layers'."""
    pooled = shape.members * shape.hidden
    return [
        ("last", shape.channels),
        ("seen", 4 * shape.stride * shape.channels),
        ("mean", pooled),
        ("largest", pooled),
        ("answer", shape.classes),
        ("counted", 3),
    ]


def frame_step(network: Network, constants: Constants, members: list[dict[str, Any]], name: str) -> str:
    """The step of all members."""
    shape = network.shape
    assert shape is not None, "these have frames"
    constants.add("prior", network.prior)
    channels, classes, steps = shape.channels, shape.classes, 2 * shape.stride
    reads = "".join(_member(network, members, number) for number in range(shape.members))
    return f"""\
{_pool(shape)}
/* counted: whether a step was read, steps since the last frame, and frames, of which no more are told apart. */
void {name}_step(struct {name}_state *state, const float *input, float *output) {{
  float frame[{2 * channels * (steps + 1)}];
  int k, t;
  for (k = 0; k < {2 * channels}; k++) {{
    float *seen = state->seen + {steps} * k;
    double value = (double)input[k % {channels}];
    if (k >= {channels}) value = state->counted[0] > 0.0f ? value - (double)state->last[k - {channels}] : 0.0;
    value = (value - mean[k]) / unit[k];
    value = value > 1e6 ? 1e6 : value < -1e6 ? -1e6 : value;
    for (t = 0; t < {steps}; t++) frame[{steps + 1} * k + t] = seen[t];
    frame[{steps + 1} * k + {steps}] = (float)value;
    for (t = 0; t < {steps}; t++) seen[t] = frame[{steps + 1} * k + t + 1];
  }}
  for (k = 0; k < {channels}; k++) state->last[k] = input[k];
  if (state->counted[1] == 0.0f) {{
    float read[{shape.hidden}];
    float logits[{classes}];
    for (k = 0; k < {classes}; k++) logits[k] = 0.0f;
    if (state->counted[2] <= {shape.memory}.0f) state->counted[2] += 1.0f;
{reads}    for (k = 0; k < {classes}; k++)
      state->answer[k] = (float)(((double)logits[k] / {shape.members}.0 + prior[k]) / {network.temperature!r});
    to_probabilities(state->answer, {classes});
  }}
  state->counted[0] = 1.0f;
  state->counted[1] = state->counted[1] + 1.0f < {shape.stride}.0f ? state->counted[1] + 1.0f : 0.0f;
  for (k = 0; k < {classes}; k++) output[k] = state->answer[k];
}}
"""


def _pool(shape: Shape) -> str:
    """The running mean and maximum, and the share of a member in the logits."""
    hidden = shape.hidden
    return f"""\
static void pool(const float *now, float frames, float *mean_, float *largest, const float *w, const float *b,
                 float *logits) {{
  float memory = {shape.memory}.0f;
  float count = frames < memory ? frames : memory;
  int k;
  for (k = 0; k < {hidden}; k++) {{
    float sunk = largest[k];
    mean_[k] = plus(mean_[k], over(minus(now[k], mean_[k]), count));
    if (frames > memory) sunk = plus(sunk, over(minus(mean_[k], sunk), memory));
    largest[k] = frames > 1.0f && sunk > now[k] ? sunk : now[k];
  }}
  for (k = 0; k < {shape.classes}; k++) {{
    const float *row = w + {3 * hidden} * k;
    float sum = plus(lanes(row, now, {hidden}), lanes(row + {hidden}, mean_, {hidden}));
    logits[k] = plus(logits[k], plus(plus(sum, lanes(row + {2 * hidden}, largest, {hidden})), b[k]));
  }}
}}
"""


def _member(network: Network, members: list[dict[str, Any]], number: int) -> str:
    shape, member = network.shape, network.members[number]
    assert shape is not None, "these have frames"
    assert member.front is not None, "these have a front"
    own, at = members[number], number * shape.hidden
    calls, last = layer_calls(network, members, number, "read", "    ")
    pooled = f"state->mean + {at}, state->largest + {at}, {own['weight']}, {own['bias']}, logits"
    return (
        f"    {kind_of(member.front).name}(&{own['front']}, frame, read);\n{calls}"
        f"    pool({last}, state->counted[2], {pooled});\n"
    )


def decide(network: Network, name: str) -> str:
    """The class of the largest probability over what frequent classes are held back by."""
    assert network.held_back is not None, "a classifier decides"
    factors = ", ".join(repr(float(value)) for value in network.held_back)
    count = len(network.held_back)
    return f"""\
int {name}_decide(const float *output) {{
  static const double held_back[{count}] = {{{factors}}};
  int best = 0;
  int k;
  for (k = 1; k < {count}; k++)
    if ((double)output[k] / held_back[k] > (double)output[best] / held_back[best]) best = k;
  return best;
}}
"""
