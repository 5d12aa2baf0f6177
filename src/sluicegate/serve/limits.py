"""What a server allows."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sluicegate.errors import ConfigError

POLICIES = ("block", "drop-oldest", "close")
"""What may happen where a box is full."""


@dataclass(frozen=True)
class Limits:
    """What a server allows.

    Raises:
        ConfigError: one is out of its range.
    """

    message: int = 65_536
    """Bytes of a message, at most."""
    inbox: int = 1_024
    """Rows of a connection that wait for their step."""
    outbox: int = 262_144
    """Bytes of answers that wait for a connection's reader; one message may go beyond."""
    policy: str = "block"
    """Where a box is full: read no more of it, leave out the oldest, or close the connection."""
    batch: int = 256
    """Rows of a step, about."""
    slots: int = 10_000
    """Streams of a model whose state is ready for a step."""
    streams: int = 100_000
    """Streams of a model in all: those without a slot are snapshots."""
    connections: int = 10_000
    """Connections with streams."""
    window: int = 32
    """Answers that each stream keeps, so that they can be told again."""
    idle: float = 60.0
    """Seconds without a row after which a stream gives up its slot."""
    kept: float = 3600.0
    """Seconds after which the streams of a connection that broke are forgotten."""
    resting: int = 2**30
    """Bytes of snapshots of streams without a slot, of a model."""
    grace: float = 10.0
    """Seconds that rows which were taken have to be answered when the server ends."""

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ConfigError(f"`policy` (={self.policy!r}) must be one of {', '.join(POLICIES)}")
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if name != "policy" and not value > 0:
                raise ConfigError(f"`{name}` (={value!r}) must be above 0")
