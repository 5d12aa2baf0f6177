"""Streams: a running state beside a shared model, that is pushed, written down and restored."""

from .stream import Stream as Stream
