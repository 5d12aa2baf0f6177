"""Streams: a running state beside a shared model, that is pushed, written down and restored."""

from .batch import StreamBatch as StreamBatch
from .layers import LayerStream as LayerStream
from .stream import Stream as Stream
