"""Saved models run by the kernels and NumPy alone: no PyTorch is needed to answer.

>>> from sluicegate import runtime
>>> sorted(runtime.TASKS)
['classify-series', 'classify-text', 'forecast']
"""

from .loading import TASKS as TASKS
from .loading import load as load
