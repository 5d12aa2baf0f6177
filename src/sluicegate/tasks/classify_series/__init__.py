"""Classes of recordings of several channels."""

from .config import SeriesClassifierConfig as SeriesClassifierConfig
from .pipeline import SeriesClassifier as SeriesClassifier
