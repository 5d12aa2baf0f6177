"""The stub of the compiled module says what the module has."""

import subprocess
import sys
from pathlib import Path

STUB = Path(__file__).parents[1] / "src" / "sluicegate" / "_core.pyi"


def test_the_stub_is_up_to_date(tmp_path):
    fresh = tmp_path / "_core.pyi"
    command = ["-m", "nanobind.stubgen", "-q", "-m", "sluicegate._core", "-o", str(fresh)]
    subprocess.run([sys.executable, *command], check=True)
    assert fresh.read_text() == STUB.read_text(), "run `make stub`"
