"""Forecasting."""

from .config import ForecasterConfig as ForecasterConfig
from .forecaster import Forecaster as Forecaster
