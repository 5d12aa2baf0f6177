"""The examples for Flax and Equinox run, and learn."""

import re
import runpy
from pathlib import Path

import pytest

pytest.importorskip("jax", reason="the extra `jax` is not installed")
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(("name", "packages"), [("flax_gru", ("flax", "optax")), ("equinox_gru", ("equinox",))])
def test_an_example_learns(name, packages, capsys):
    for package in packages:
        pytest.importorskip(package, reason=f"{package} is not installed")
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    before, after = map(float, re.findall(r"(\d\.\d{4})", capsys.readouterr().out))
    assert after < before / 2
