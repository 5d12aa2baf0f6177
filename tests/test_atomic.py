"""Whatever happens to a writer, the old or the new one is there, whole, and the next writer tidies up."""

import errno
import json
import os
import random
import resource
import runpy
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sluicegate import atomic, bundle
from sluicegate.errors import BundleError

SCRIPT = Path(__file__).with_name("killed_writer.py")
model, version_of = (runpy.run_path(str(SCRIPT))[name] for name in ("model", "version_of"))

both_ways = pytest.mark.parametrize("way", ["one-step", "two-steps"])


@pytest.fixture
def place(tmp_path):
    return tmp_path / "models" / "demand"


def names_beside(place):
    return sorted(path.name for path in place.parent.iterdir())


def use(monkeypatch, way):
    if way == "two-steps":
        monkeypatch.setattr(atomic, "_exchanged", lambda new, place: False)


# Killed writers


@both_ways
def test_killed_at_random(place, way):
    dice = random.Random(way)
    for _ in range(10):
        command = [sys.executable, str(SCRIPT), str(place), "on-and-on", way]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            first = writer.stdout.readline()
            time.sleep(dice.uniform(0, 0.03))
            writer.kill()
            printed = [int(line) for line in [first, *writer.stdout] if line.endswith("\n")]
        assert writer.returncode == -9
        assert version_of(place) in (printed[-1], printed[-1] + 1)
    bundle.write(place, model(0))
    assert version_of(place) == 0
    assert names_beside(place) == ["demand"]


@both_ways
def test_killed_at_each_step(place, way):
    command = [sys.executable, str(SCRIPT), str(place), "each-step", way]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120).stdout
    two_steps = way == "two-steps" or not sys.platform.startswith("linux")
    for found in json.loads(output):
        assert found["old"] > 5
        assert found["new"] > 5
        assert found["aside"] > 0 or not two_steps


def test_leaves_what_is_not_its_own(place):
    bundle.write(place, model(1))
    alive = atomic._hidden(place)
    other_machine = alive.with_name(alive.name.replace("sluicegate-", "sluicegate-elsewhere-"))
    other_model = place.with_name(".demand2").with_name(alive.name.replace(".demand.", ".demand2."))
    similar = place.with_name(".demand.backup")
    for folder in (alive, other_machine, other_model, similar):
        folder.mkdir()
    before = names_beside(place)
    bundle.write(place, model(2))
    assert names_beside(place) == before


# Two steps instead of one


def test_two_steps_round_trip(place, monkeypatch):
    use(monkeypatch, "two-steps")
    for version in range(3):
        bundle.write(place, model(version))
        assert version_of(place) == version
        assert names_beside(place) == ["demand"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_two_steps_put_the_old_one_back(place, monkeypatch, code):
    use(monkeypatch, "two-steps")
    bundle.write(place, model(1))
    rename = Path.rename
    moves = []

    def fail_at_the_second(path, target):
        if path.suffix == ".new" and not place.exists():
            raise OSError(code, os.strerror(code))
        moves.append(path.name)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_at_the_second)
    with pytest.raises(BundleError, match=os.strerror(code)):
        bundle.write(place, model(2))
    assert moves[-2:] == [place.name, Path(moves[0]).stem + ".old"]  # aside and back
    assert version_of(place) == 1
    assert names_beside(place) == ["demand"]


def test_exchange_is_what_linux_uses(place, monkeypatch):
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux exchanges two folders in one step")
    exchange = atomic._exchanged
    answers = []
    monkeypatch.setattr(atomic, "_exchanged", lambda *paths: answers.append(exchange(*paths)) or answers[-1])
    bundle.write(place, model(1))
    assert answers == []
    bundle.write(place, model(2))
    assert answers == [True]
    assert version_of(place) == 2


# No space, no right


@both_ways
@pytest.mark.parametrize(
    "code", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO], ids=errno.errorcode.get
)
def test_a_failure_at_any_file_leaves_nothing(place, monkeypatch, way, code):
    use(monkeypatch, way)
    bundle.write(place, model(1))
    fsync = os.fsync
    for step in range(100):
        left = step

        def fail(handle):
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(code, os.strerror(code))
            fsync(handle)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            with suppress(BundleError):
                bundle.write(place, model(step + 2))
                break
        assert version_of(place) in (1, step + 2)
        assert names_beside(place) == ["demand"]
    assert 4 < step < 99
    assert version_of(place) == step + 2


def test_a_failure_takes_away_the_folders_that_it_made(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_write_synced", lambda path, content: os.open("/", os.O_WRONLY))
    for write in (lambda path: bundle.write(path, model(1)), lambda path: atomic.write_atomic(path, b"")):
        with pytest.raises(BundleError):
            write(tmp_path / "a" / "b" / "c")
        assert list(tmp_path.iterdir()) == []


def test_interrupted_by_the_user(place, monkeypatch):
    bundle.write(place, model(1))

    def interrupt(path, content):
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic, "_write_synced", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bundle.write(place, model(2))
    assert version_of(place) == 1
    assert names_beside(place) == ["demand"]


def test_no_room_for_a_large_file(place):
    """The system itself stops the writing in the middle of the weights."""
    bundle.write(place, model(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(BundleError, match=r"File too large\): free some space"):
            bundle.write(place, model(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert version_of(place) == 1
    assert names_beside(place) == ["demand"]


@pytest.fixture
def as_nobody():
    """A folder outside pytest's private one, and a function that gives up root's rights for a while."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        root = os.geteuid() == 0
        yield folder, (lambda: os.seteuid(65534)) if root else (lambda: None)
        if root:
            os.seteuid(0)
        for path in folder.rglob("*"):
            if path.is_dir():
                path.chmod(0o755)


def test_no_right_to_write(as_nobody):
    folder, drop = as_nobody
    bundle.write(folder / "locked" / "mine", model(1))
    (folder / "locked").chmod(0o555)
    (folder / "locked" / "mine").chmod(0o555)
    drop()
    for name in ("new", "mine", "a/b"):
        with pytest.raises(BundleError, match=r"choose (a|another) folder"):
            bundle.write(folder / "locked" / name, model(2))
    with pytest.raises(BundleError, match=r"Permission denied\): choose a folder that you may write to"):
        atomic.write_atomic(folder / "locked" / "report.html", b"")
    assert version_of(folder / "locked" / "mine") == 1
    assert names_beside(folder / "locked" / "mine") == ["mine"]


def test_no_right_to_read(as_nobody):
    folder, drop = as_nobody
    bundle.write(folder / "mine", model(1))
    (folder / "mine" / "weights").chmod(0)
    drop()
    with pytest.raises(BundleError, match=r"^weights of the model .* cannot be read \(Permission denied\): "):
        bundle.read(folder / "mine")


# Single files


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "reports" / "report.html"
    atomic.write_atomic(path, b"one")
    path.chmod(0o600)
    atomic.write_atomic(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names_beside(path) == ["report.html"]


def test_a_file_is_whole_or_untouched(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    atomic.write_atomic(path, b"one")

    def fail(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(BundleError, match=r"No space left on device\): free some space"):
            atomic.write_atomic(path, b"two")
    assert path.read_bytes() == b"one"
    assert names_beside(path) == ["report.html"]


def test_a_file_never_replaces_a_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(BundleError, match="Is a directory"):
        atomic.write_atomic(tmp_path / "folder", b"")
    assert names_beside(tmp_path / "folder") == ["folder"]


def test_leftovers_of_a_killed_writer_of_a_file(tmp_path):
    path = tmp_path / "report.html"
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    dead = atomic._hidden(path).name.replace(f"-{os.getpid()}-", f"-{gone.pid}-")
    (tmp_path / dead).write_bytes(b"half")
    atomic.write_atomic(path, b"whole")
    assert names_beside(path) == ["report.html"]
