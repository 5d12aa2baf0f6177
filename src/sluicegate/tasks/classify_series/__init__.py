"""Classes of recordings of several channels."""

from .classifier import SeriesClassifier as SeriesClassifier
from .config import SeriesClassifierConfig as SeriesClassifierConfig
