"""The forecaster's network: segments of the context through one recurrent layer, all future segments at once.

    z_t = x_t - x_T - w (k_t - k_T)                  the context, moved to end in 0, without what k_t explains
    e_i = relu(W z_segment(i) + ...)                 each segment of the context, with its covariates, embedded
    h   = cell(e_1, ..., e_n)                        one recurrent layer over the segments
    q_j = place_j + C calendar(j) + ...              what is known of future segment j before it happens
    h_j = cell(q_j, h)                               one step of the same cell for each, all from the same state
    y_j = V h_j + S z + x_T + w (k_j - k_T)          mean and quantiles of the segment's steps

x is the target, k what is known in advance, T the last step of the context. S and w are linear maps, solved in closed
form (`linear.py`); training goes on from there, and is tempered to what of it holds on the validation rows.

All series and targets share the network, and nothing in it tells them apart but what they did: an embedding of each
was tried, and on many series it learnt them by heart (OWA 0.505 with it and 0.484 without, on held-back rows of the
M4 competition's hourly series).

Segments, decoding in parallel and the subtraction of the last value are those of SegRNN (Lin et al. 2023,
arXiv:2308.11200); the linear map beside the network is that of the DLinear family (Zeng et al. 2023).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sluicegate.nn.layers import LAYERS
from sluicegate.nn.products import Linear, product
from sluicegate.runtime.forecast.shape import Shape as Shape


class SegmentForecaster(nn.Module):
    """The network at the top of this file."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        hidden, segment = shape.hidden, shape.segment
        self.embed = Linear(segment * (1 + shape.past + shape.known) + shape.calendar, hidden)
        self.cell = LAYERS[shape.cell](hidden, hidden, shape.layers, batch_first=True)
        self.place = nn.Parameter(0.1 * torch.empty(shape.after, hidden).normal_())
        # Absent where nothing is known of the future but its place: a layer without inputs is none.
        known = segment * shape.known + shape.calendar
        self.query = Linear(known, hidden, bias=False) if known else None
        self.head = Linear(hidden, segment * shape.outputs)
        self.shortcut = nn.Parameter(torch.zeros(shape.horizon, shape.context))
        self.effect: Tensor
        self.register_buffer("effect", torch.zeros(shape.known))
        self.drop = nn.Dropout(shape.dropout)
        with torch.no_grad():
            self.head.weight.mul_(0.1)  # training starts near the linear forecast

    def forward(
        self,
        context: Float[Tensor, "batch context"],
        past: Float[Tensor, "batch past context"],
        known: Float[Tensor, "batch known window"],
        calendar: Float[Tensor, "batch segments calendar"],
        padded: Int64[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch horizon outputs"]:
        """Forecast.

        Args:
            context: standardised values up to now.
            past: standardised covariates over the context.
            known: standardised covariates over context and horizon.
            calendar: features of every segment's first step.
            padded: steps at the beginning of the context that no row stands for, which the recurrent layer skips as
                far as whole segments go; None is none.

        Returns:
            The mean and the quantiles of each step ahead, standardised as the context is.
        """
        shape = self.shape
        z, level = self.without_level(context, known)
        seen = torch.cat([z[:, None], past, known[..., : shape.context]], 1)
        segments = _segments(F.pad(seen, (shape.before * shape.segment - shape.context, 0)), shape.segment)
        embedded = torch.relu(self.embed(torch.cat([segments, calendar[:, : shape.before]], -1)))
        state = self._read(embedded, padded)
        decoded = self._decode(self._queries(known[..., shape.context :], calendar[:, shape.before :]), state)
        outputs: Tensor = self.head(self.drop(decoded)).view(len(context), -1, shape.outputs)
        return outputs[:, : shape.horizon] + (product(z, self.shortcut) + level)[..., None]

    def _read(
        self, embedded: Float[Tensor, "batch before hidden"], padded: Int64[Tensor, " batch"] | None
    ) -> tuple[Float[Tensor, "layers batch hidden"], ...]:
        """The state after the segments, begun at the first of each window that holds a row."""
        if padded is None or not padded.any():
            state = self.cell(embedded)[1]
            return state if isinstance(state, tuple) else (state,)
        lacking = self.shape.before * self.shape.segment - self.shape.context  # by the first segment of any window
        skipped = torch.where(padded > 0, (padded + lacking) // self.shape.segment, 0)
        rows, states = [], []
        for count in np.unique(skipped).tolist():
            rows.append(torch.nonzero(skipped == count)[:, 0])
            state = self.cell(embedded[rows[-1], count:])[1]
            states.append(state if isinstance(state, tuple) else (state,))
        order = torch.argsort(torch.cat(rows))
        return tuple(torch.cat(parts, 1)[:, order] for parts in zip(*states, strict=True))

    def without_level(
        self, context: Float[Tensor, "batch context"], known: Float[Tensor, "batch known window"]
    ) -> tuple[Float[Tensor, "batch context"], Float[Tensor, "batch horizon"]]:
        """The context `z` without its last value and the linear effects, and these two over the horizon."""
        last = context[:, -1:]
        if not self.shape.known:
            return context - last, last.expand(-1, self.shape.horizon)
        size = self.shape.context
        off = known - known[..., size - 1 : size]
        effect = off[:, 0] * self.effect[0]
        for column in range(1, self.shape.known):  # one after the other, as the runtime adds them up
            effect = effect + off[:, column] * self.effect[column]
        return context - last - effect[:, :size], last + effect[:, size:]

    def _queries(
        self, known: Float[Tensor, "batch known horizon"], calendar: Float[Tensor, "batch after calendar"]
    ) -> Float[Tensor, "batch after hidden"]:
        shape = self.shape
        place = self.place.expand(len(known), -1, -1)
        if self.query is None:
            return place
        future = _segments(F.pad(known, (0, shape.after * shape.segment - shape.horizon)), shape.segment)
        announced: Tensor = self.query(torch.cat([future, calendar], -1))
        return place + announced

    def _decode(
        self, query: Float[Tensor, "batch after hidden"], states: tuple[Float[Tensor, "layers batch hidden"], ...]
    ) -> Float[Tensor, "batch after hidden"]:
        """One step of the cell from the same state for each query.

        In training the state is not repeated for each query but broadcast, so that its product with the recurrent
        weights, most of the work, is done once. Without a gradient the kernels take it repeated no slower.
        """
        if not torch.is_grad_enabled():
            rows, after, hidden = query.shape
            repeated = tuple(state.repeat_interleave(after, 1) for state in states)
            steps = query.reshape(rows * after, 1, hidden)
            decoded: Tensor = self.cell(steps, repeated if len(repeated) > 1 else repeated[0])[0]
            return decoded.view(rows, after, hidden)
        for depth in range(self.shape.layers):
            step = self.cell.equations(f"_l{depth}", None)
            query, *_ = step.step(step.project(query), tuple(s[depth][:, None] for s in states))
        return query


def temper(model: SegmentForecaster, share: float, start: Float[Tensor, "horizon context"]) -> None:
    """Keep, in place, a share of what training added to the mean and to the median, and the distances of the quantiles.

    The share is from 0, the linear forecast whose map was `start`, to 1, all that training came to.
    """
    shape = model.shape
    with torch.no_grad():
        model.shortcut.copy_(start + share * (model.shortcut - start))
        for values in (model.head.weight, model.head.bias):
            outputs = values.view(shape.segment, shape.outputs, -1)
            outputs[:, 0] *= share
            outputs[:, 1:] -= (1 - share) * outputs[:, shape.median, None].clone()


def _segments(values: Float[Tensor, "batch columns steps"], size: int) -> Float[Tensor, "batch segments width"]:
    """Cut the steps into segments, each with all of its columns side by side."""
    batch, columns, steps = values.shape
    return values.view(batch, columns, steps // size, size).transpose(1, 2).reshape(batch, steps // size, -1)


def loss(
    outputs: Float[Tensor, "batch horizon outputs"],
    truth: Float[Tensor, "batch horizon"],
    spread: Float[Tensor, "batch horizon"],
    quantiles: Float[Tensor, " quantiles"],
) -> Float[Tensor, ""]:
    """Squared error of the mean and pinball loss of the quantiles (Koenker & Bassett 1978).

    The quantiles are of `spread`, which is the truth spread out where values tie.
    """
    below = spread[..., None] - outputs[..., 1:]
    pinball = torch.maximum(quantiles * below, (quantiles - 1) * below).mean()
    return 2 * pinball + MEAN_WEIGHT * F.mse_loss(outputs[..., 0], truth)


MEAN_WEIGHT = 0.25
