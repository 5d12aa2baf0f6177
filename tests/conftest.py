"""What holds for every test: few threads, no network, no files left behind, and the same examples each time."""

import ipaddress
import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import jaxtyping
import pytest

from sluicegate.collection import collect_rarely

ROOT = Path(__file__).parents[1]
THREADS = 1
CHECKED_STEPS = 3  # of a training

os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))  # for the programs that tests start
os.environ.setdefault("KERAS_BACKEND", "torch")
hypothesis.settings.register_profile("sluicegate", deadline=None, derandomize=True)
hypothesis.settings.load_profile("sluicegate")


def pytest_configure(config):
    collect_rarely()
    adapters = [name for name in ("jax", "keras", "redis") if find_spec(name) is None]
    if adapters:  # the examples in the docstrings of what needs them
        paths = [str(ROOT / "src" / "sluicegate" / name) for name in adapters]
        if "jax" in adapters:
            paths.append(str(ROOT / "src" / "sluicegate" / "keras" / "on_jax.py"))
        config.option.ignore = [*(config.option.ignore or []), *paths]


def pytest_collection_modifyitems(items):
    """Those that take longest begin first: else one process is left alone with them at the end."""
    items.sort(key=lambda item: item.path.name != "test_documents.py")


@pytest.fixture(autouse=True)
def _threads():
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(THREADS)


@pytest.fixture(autouse=True)
def _types_of_the_first_steps():
    """A training's thousandth step makes the calls of its first: to check the types in all took half of all time."""
    module = sys.modules.get("sluicegate.training.optimizer")
    if module and not hasattr(module.PartOptimizer, "taken"):
        module.PartOptimizer.taken = 0
        module.PartOptimizer.step = _checked_at_first(module.PartOptimizer.step)


def _checked_at_first(step):
    def taken(self, number):
        self.taken += 1
        jaxtyping.config.update("jaxtyping_disable", self.taken > CHECKED_STEPS)
        try:
            return step(self, number)
        finally:
            jaxtyping.config.update("jaxtyping_disable", False)

    return taken


@pytest.fixture(autouse=True, scope="session")
def _elsewhere(tmp_path_factory):
    """A test that writes to a relative path by mistake leaves nothing in the checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_network():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _local_only(getattr(socket.socket, name)))
        yield


def _local_only(connect):
    def checked(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
            raise RuntimeError(f"a test wanted to connect to {address[0]!r}: tests run without a network")
        return connect(self, address)

    return checked


def _is_local(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session")
def shared_data():
    """The folder with the full data sets, which are too large to be kept here."""
    folder = Path(os.environ.get("SLUICEGATE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"there is no folder {folder}: set SLUICEGATE_DATA to the one with the data sets")
    return folder
