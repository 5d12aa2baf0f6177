"""Streams by keys on Redis Streams: rows in and answers out, worked on by any number of processes on any machines.

Each row is answered once, in the order of its key, with the bits of one stream of all rows of that key, whichever
workers there are and whenever one of them dies. The page `docs/scaling.md` says how.
"""

from __future__ import annotations

from . import extra as extra
from .queue import Answer as Answer
from .queue import Queue as Queue
from .worker import Worker as Worker

__all__ = ["Answer", "Queue", "Worker"]
