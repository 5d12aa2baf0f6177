"""Accelerated layers and cells go through PyTorch's compilers as PyTorch's do.

The operator is a node of their graphs; what the kernels do not have is computed by PyTorch's operators.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("compiled_programs.py")


@pytest.fixture(scope="module")
def outcomes():
    done = subprocess.run([sys.executable, str(PROGRAM)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_cells_are_whole_graphs_without_a_warning_that_pytorch_does_not_give(outcomes):
    assert not outcomes["cells"]


def test_cells_under_autocast(outcomes):
    assert not outcomes["cells_under_autocast"]


def test_cells_with_options(outcomes):
    assert not outcomes["cells_with_options"]


def test_cells_that_are_mapped(outcomes):
    assert not outcomes["cells_mapped"]


def test_layers_are_whole_graphs_where_pytorch_allows_it_and_warn_as_pytorchs(outcomes):
    assert not outcomes["layers"]


def test_exported_programs(outcomes):
    assert not outcomes["exported"]


def test_exported_programs_with_lengths(outcomes):
    assert not outcomes["exported_with_lengths"]
