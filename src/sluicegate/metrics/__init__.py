"""Metrics: one file for each task, each metric with its paper's definition."""

from .classification import classification_metrics as classification_metrics
from .classification import reliability as reliability
from .forecast import METRICS as METRICS
from .forecast import ForecastScores as ForecastScores
from .forecast import WindowLosses as WindowLosses
from .forecast import owa as owa
from .forecast import seasonal_changes as seasonal_changes
from .forecast import seasonal_scale as seasonal_scale
