"""How far the forecast of each series is drawn to its last season over again.

One network serves many series. Of some it says less than their last season does: a level that it takes to come back
stays where it is, a rise that it carries on has ended. The validation rows tell which series these are, and the
combination of both forecasts (Bates & Granger 1969) errs less than either.

Small counts, and values that are zero on many days, are left to the network: what came a season ago is chance there.

A series has few validation rows of its own, and a share chosen by these alone errs as well. What all series say is
therefore added to what it says itself, and counts for two windows that lie apart (Diebold & Pauly 1990): the mean of
the logarithms of their errors, so that none speaks for all. On M4 hourly, with the last 48 rows of the training part
kept for the trial, OWA went from 0.488 to 0.470 and from 0.484 to 0.465 (two seeds); one window instead of two gave the
same, four 0.474 and 0.469, and one share for all series 0.486 and 0.482.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from sluicegate.data import Windows

from .batches import Numbers, PreparedWindows
from .splitting import VALIDATED
from .trained import Trained, seasonal_scales

_SHARES = np.linspace(0.0, 1.0, 21)
_OF_ALL = 2  # windows apart that all series count for beside one
_LEAST = 1e-3  # of the change over a season: less is no error
_DOUBTED = 3  # windows apart that are taken to say that the network is right
_AT_ONCE = 1024


def last_season(context: Float[Tensor, "batch context"], season: int, horizon: int) -> Float[Tensor, "batch horizon"]:
    """The last season over again; the last value where the context holds no season.

    >>> last_season(torch.arange(6.0)[None], season=4, horizon=6).tolist(), last_season(torch.ones(1, 2), 4, 1).tolist()
    ([[2.0, 3.0, 4.0, 5.0, 2.0, 3.0]], [[1.0]])
    """
    period = season if season <= context.shape[1] else 1
    return context[:, context.shape[1] - period + torch.arange(horizon) % period]


def measure_shares(
    trained: Trained, prepared: PreparedWindows, windows: Windows
) -> Float64[np.ndarray, "series targets 2"]:
    """The shares of each series and target that err least on the validation windows, given a model with shares of 0.

    Returns:
        The share of the mean, by its squared error, and that of the median, by its absolute error.
    """
    shares = np.zeros_like(trained.naive_share)
    apart = windows.apart(trained.shape.horizon)
    thinned = windows.thinned(VALIDATED)
    series, origins = thinned.locate(np.arange(len(thinned)))
    for j, scale in enumerate(_scales(trained, prepared).T):
        told = (scale > 0) & trained.support.smooth[:, j]
        errors = np.zeros((2, len(_SHARES), len(scale)))
        for part in np.array_split(np.arange(len(series)), -(-len(series) // _AT_ONCE)):
            errors += _errors(trained, prepared, series[part], origins[part], j)
        errors /= np.maximum(np.bincount(series, minlength=len(scale)), 1)
        errors = np.divide(errors, np.stack([scale**2, scale])[:, None], out=np.zeros_like(errors), where=told)
        weight = np.where(told, apart, 0)
        if not (total := weight.sum()):
            continue
        of_all = np.log(np.maximum(errors, _LEAST)) @ weight / total
        chosen = _SHARES[(errors * weight + _OF_ALL * of_all[..., None]).argmin(1)]
        shares[told, j] = chosen.T[told] * total / (total + _DOUBTED)
    return shares


def _errors(
    trained: Trained, prepared: PreparedWindows, series: Numbers, origins: Numbers, target: int
) -> Float64[np.ndarray, "2 shares series"]:
    """Squared errors of the mean and absolute ones of the median by share, added up over the windows of each series."""
    batch, truth = prepared.batch(series, origins, np.full(len(series), target))
    with torch.inference_mode():
        outputs = trained.model(*batch)
    repeated = last_season(batch.context, trained.season, trained.shape.horizon)
    wrong = [(truth - outputs[..., place]).double().numpy() for place in (0, trained.shape.median)]
    apart = [(repeated - outputs[..., place]).double().numpy() for place in (0, trained.shape.median)]
    count = len(prepared.panel.names)
    return np.array(
        [
            [np.bincount(series, loss(error - share * way).mean(1), minlength=count) for share in _SHARES]
            for loss, error, way in zip((np.square, np.abs), wrong, apart, strict=True)
        ]
    )


def _scales(trained: Trained, prepared: PreparedWindows) -> Float64[np.ndarray, "series targets"]:
    """The mean absolute change of each standardised series over a season, by which errors are made comparable."""
    panel, targets = prepared.panel, trained.columns.targets
    values = trained.scalers.targets.apply(panel, prepared.ids).astype(np.float64)
    standardised = replace(panel, columns=dict(zip(targets, values, strict=True)))
    return seasonal_scales(standardised, targets, panel.bounds[1:], trained.season)
