"""Metrics: one file for each task, each metric with its paper's definition."""

from .classification import classification_metrics as classification_metrics
from .classification import reliability as reliability
from .forecast import METRICS as METRICS
from .forecast import ForecastScores as ForecastScores
from .forecast import WindowLosses as WindowLosses
from .forecast import owa as owa
from .forecast import seasonal_changes as seasonal_changes
from .forecast import seasonal_scale as seasonal_scale
from .significance import clustered as clustered
from .significance import degrees_of_freedom as degrees_of_freedom
from .significance import diebold_mariano as diebold_mariano
from .significance import mcnemar as mcnemar
from .significance import paired_bootstrap as paired_bootstrap
