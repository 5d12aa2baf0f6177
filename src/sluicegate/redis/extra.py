"""The client of Redis, which is an extra: to import this module is to be told that it is missing."""

from __future__ import annotations

from importlib.util import find_spec

from sluicegate.errors import MissingExtra

if find_spec("redis") is None:
    raise MissingExtra("redis", "redis", "streaming by keys on Redis")
