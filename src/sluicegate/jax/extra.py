"""JAX itself, which is an extra: to import this module is to be told what is missing of it."""

from __future__ import annotations

from importlib.util import find_spec

from sluicegate.errors import MissingExtra

for _package in ("jax", "jaxlib"):  # without its compiled part JAX can be installed, and not be imported
    if find_spec(_package) is None:
        raise MissingExtra(_package, "jax", "computing layers in JAX")
