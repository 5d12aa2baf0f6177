"""Without JAX, or without its compiled part, it is told what to install: these run where JAX is missing as well."""

import runpy
from importlib import util
from pathlib import Path

import pytest

import sluicegate
from sluicegate import MissingExtra

EXTRA = Path(sluicegate.__file__).parent / "jax" / "extra.py"


@pytest.mark.parametrize("missing", ["jax", "jaxlib"])
def test_what_is_missing_is_named(missing, monkeypatch):
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(MissingExtra, match=rf"needs the package '{missing}', .*`pip install 'sluicegate\[jax\]'`"):
        runpy.run_path(str(EXTRA))
