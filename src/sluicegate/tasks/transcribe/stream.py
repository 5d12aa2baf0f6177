"""The stream of a transcriber: samples in, words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from sluicegate.data.audio import one_channel, require_rate
from sluicegate.data.resampling import Resampler
from sluicegate.errors import DataError
from sluicegate.streaming.snapshots import damaged, read, require, write
from sluicegate.streaming.stream import Stream

from .features import FRAME
from .running import END, Heard
from .search import Search
from .trained import Trained
from .transcript import Word

KIND = "transcriber"
