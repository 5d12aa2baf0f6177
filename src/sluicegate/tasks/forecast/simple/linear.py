"""The closed-form linear map that the network's training starts from, alone."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64

from sluicegate.tasks.forecast.batches import Numbers, Point, PreparedWindows
from sluicegate.tasks.forecast.forecasting import standardised
from sluicegate.tasks.forecast.trained import Trained


class LinearMap:
    """The best linear map from context to horizon, with the linear effects of what is known in advance.

    The weights are on the scale on which series are standardised.
    """

    def __init__(
        self, trained: Trained, prepared: PreparedWindows, target: int, weights: Float64[np.ndarray, "horizon context"]
    ) -> None:
        self._trained, self._prepared, self._target = trained, prepared, target
        self._weights = torch.from_numpy(np.ascontiguousarray(weights, np.float32))
        self.needs = trained.shape.context

    def __call__(self, series: Numbers, origins: Numbers) -> Point:
        """Forecast windows."""
        batch, scale, _ = standardised(self._trained, self._prepared, series, origins, self._target)
        z, level = self._trained.model.without_level(batch.context, batch.known)
        linear = (z @ self._weights.T + level).double().numpy()
        # No error to speak of, so that a transformed value comes back as it is: the median, as for the other methods.
        _, quantiles = scale.unscale(linear, linear[..., None], np.zeros_like(linear))
        return quantiles[..., 0]
