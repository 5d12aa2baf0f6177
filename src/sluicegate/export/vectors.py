"""Steps to try an exported model on, and what this package answers them."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from sluicegate import bundle
from sluicegate.runtime.forecast.forecaster import Forecaster
from sluicegate.runtime.forecast.past import Past
from sluicegate.runtime.layers import Product
from sluicegate.runtime.recordings.classifier import SeriesClassifier

from .forecast import Forecast
from .layers import Front, Layers, is_whole
from .network import Network


def inputs_for(network: Network, steps: int, seed: int = 0) -> ndarray:
    """Steps drawn by chance on the scale of training, 32-bit floats `[steps inputs]`."""
    if network.forecast is not None:
        return _rows_for(network.forecast, steps, seed)
    drawn = np.random.default_rng(seed).normal(size=(steps, len(network.inputs)))
    if network.mean is not None and network.unit is not None:
        count = len(network.inputs)
        drawn = drawn * network.unit[:count] + network.mean[:count]
    found: ndarray = drawn.astype(np.float32)
    return found


def expected_of(network: Network, inputs: ndarray) -> ndarray:
    """The answer to each step: by the runtime's stream, or by the layers as they are exported."""
    recurrent = [Layers(member.layers) for member in network.members]
    if network.forecast is not None:
        return _forecasts(network, network.forecast, inputs)
    if network.folder is not None:
        trained = SeriesClassifier(bundle.read(network.folder))
        if trained.reader is not None and any(is_whole(layer) for layer in network.members[0].layers):
            fronts = [Front(member.front) for member in network.members if member.front is not None]
            trained.reader = trained.reader.with_layers(list(zip(fronts, recurrent, strict=True)))
        answers = trained.open_stream().push(inputs)
        return np.array([[row[f"probability_{name}"] for name in network.outputs] for row in answers], np.float32)
    (member,) = network.members
    x = inputs
    if network.mean is not None and network.unit is not None:
        x = ((inputs.astype(np.float64) - network.mean) / network.unit).astype(np.float32)
    outputs = recurrent[0].run(x[:, None], recurrent[0].begin(1))[0][:, 0]
    return outputs if member.weight is None else Product(member.weight, member.bias)(outputs)


def _rows_for(forecast: Forecast, steps: int, seed: int) -> ndarray:
    """Rows such as those that training ended with, a little off, and what is known in advance of those ahead."""
    trained, rng = forecast.trained, np.random.default_rng(seed)
    tail, horizon = trained.tails[forecast.key].values, trained.shape.horizon
    rows = tail[:, np.arange(steps + horizon) % tail.shape[1]].T
    off = 1 + 0.1 * rng.normal(size=(len(rows), len(trained.targets)))
    rows[:, : len(trained.targets)] *= np.where(forecast.series.grain > 0, 1.0, off)  # whole numbers stay whole
    known = rows[:, rows.shape[1] - len(trained.known) :]
    ahead = [known[place + 1 : place + 1 + horizon].T.reshape(-1) for place in range(steps)]
    return np.concatenate([rows[:steps], np.stack(ahead)], axis=1).astype(np.float32)


def _forecasts(network: Network, forecast: Forecast, inputs: ndarray) -> ndarray:
    """The forecast after each row, of a series that begins with the first of them."""
    trained, (member,) = Forecaster(bundle.read(network.folder or "")), network.members
    if any(map(is_whole, member.layers)):
        assert member.front is not None, "it embeds segments"
        trained.network = trained.network.with_layers(Front(member.front), Layers(member.layers))
    columns, shape, step = len(trained.columns), trained.shape, trained.clock.step
    found, past = np.empty((len(inputs), len(network.outputs)), np.float32), None
    for place, given in enumerate(inputs.astype(np.float64)):
        row, ahead = given[:columns], given[columns:].reshape(len(trained.known), shape.horizon)
        past = Past(row[:, None], forecast.next, 1, {}) if past is None else past.followed_by(row, shape.context, step)
        mean, quantiles = trained.forecast(forecast.key, past, ahead)
        found[place] = np.concatenate([mean[..., None], quantiles], axis=-1).reshape(-1)
    return found
