"""A saved forecaster and its verbs."""

from __future__ import annotations

from typing import Any

from .stream import ForecastStream
from .trained import Trained


class Forecaster(Trained):
    """A saved forecaster.

    Its forecasts are those of `sluicegate.load(folder)` up to rounding: its network is computed by the kernels alone,
    whose sums of products have another order than PyTorch's.
    """

    def open_stream(self, *, warm: bool = False) -> ForecastStream:
        """Open a stream: a row in, the forecast of the horizon that follows it out.

        Args:
            warm: begin with the last rows that training saw; by default nothing has been read yet.
        """
        return ForecastStream(self, warm=warm)

    def predict(self, data: Any = None, *, future: Any = None) -> dict[str, Any]:
        """Forecast what follows the last rows that training saw, or what follows other rows.

        Args:
            data: rows as a stream takes them, in order of time within each series; None goes on from training.
            future: where there are columns known in advance, these of the rows of the horizon.

        Returns:
            The columns of `Forecaster.predict`, by name: of each series, target and step ahead the mean and quantiles.

        Raises:
            DataError: rows are missing, not in order, or not as in training.
        """
        stream = self.open_stream(warm=data is None)
        if data is not None:
            stream.read(data)
        return stream.forecasts(future)
