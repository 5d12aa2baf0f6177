"""Tasks: one pipeline for each, all with the same verbs."""

from .base import Task as Task
from .base import load as load
from .forecast import Forecaster as Forecaster
from .forecast import ForecasterConfig as ForecasterConfig
from .report import Report as Report
