"""Tasks: one pipeline for each, all with the same verbs."""

from .base import Task as Task
from .base import load as load
from .classify_series import SeriesClassifier as SeriesClassifier
from .classify_series import SeriesClassifierConfig as SeriesClassifierConfig
from .classify_text import TextClassifier as TextClassifier
from .classify_text import TextClassifierConfig as TextClassifierConfig
from .forecast import Forecaster as Forecaster
from .forecast import ForecasterConfig as ForecasterConfig
from .report import Report as Report
