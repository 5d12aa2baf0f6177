"""Forecasting."""

from .config import ForecasterConfig as ForecasterConfig
from .pipeline import Forecaster as Forecaster
