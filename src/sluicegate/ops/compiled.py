"""Which compiled kernels are in use: those for another instruction set read weights that are laid out otherwise."""

from __future__ import annotations

from sluicegate import _core
from sluicegate.errors import ConfigError


def require_same(isa: str) -> None:
    """Refuse weights that were laid out for other kernels.

    Args:
        isa: the instruction set whose kernels they were laid out for.

    Raises:
        ConfigError: the kernels of another one are in use now.
    """
    if _core.isa() != isa:
        raise ConfigError(
            f"the weights were laid out for the kernels for {isa!r}, and those for {_core.isa()!r} are now in use: "
            "load the model anew"
        )
