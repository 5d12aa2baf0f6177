"""JAX itself, which is an extra: to import this module is to be told what is missing of it."""

from __future__ import annotations

from importlib.util import find_spec

from sluicegate.errors import MissingExtra

if find_spec("jax") is None:
    raise MissingExtra("jax", "jax", "computing layers in JAX")
if find_spec("jaxlib") is None:  # JAX can be installed without its compiled part, and then not be imported
    raise MissingExtra("jaxlib", "jax", "computing layers in JAX")
