"""Classes of texts."""

from .classifier import TextClassifier as TextClassifier
from .config import TextClassifierConfig as TextClassifierConfig
