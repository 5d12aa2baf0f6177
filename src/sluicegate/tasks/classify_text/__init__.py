"""Classes of texts."""

from .config import TextClassifierConfig as TextClassifierConfig
from .pipeline import TextClassifier as TextClassifier
