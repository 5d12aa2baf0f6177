"""Writers that get killed, for `test_atomic.py`: `killed_writer.py FOLDER on-and-on | each-step [two-steps]`.

`on-and-on` rewrites the model until somebody kills it. `each-step` forks a writer for each step of a write,
which kills itself there, and prints how often the old one, the new one, or the old one aside was found then.
"""

import json
import os
import signal
import sys
from pathlib import Path

from sluicegate import atomic, bundle

STEPS = {"open", "os.rename", "os.mkdir", "os.chmod", "os.remove", "os.rmdir", "shutil.rmtree"}


def model(version):
    """Every file tells the version, and one is large enough to be written in more than one go."""
    config = json.dumps({"schema": bundle.SCHEMA, "version": version}).encode()
    return {"config.json": config, "weights": version.to_bytes(4, "big") * 50_000, "card": b"%d" % version}


def version_of(place):
    read = bundle.read(place)
    version = read.json("config.json")["version"]
    assert dict(read.files) == model(version)
    return version


def write_on_and_on(place):
    version = 1
    while True:
        bundle.write(place, model(version))
        print(version, flush=True)  # noqa: T201 - tells the parent how far it is
        version += 1


def die_at(step):
    """Kill this process when Python tells its audit hooks of its n-th change to the disk from now."""
    left = step

    def count(event, args):
        nonlocal left
        if event not in STEPS:
            return
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def die_at_each_step(place, tidy):
    """Return how often each was found; `tidy` up after each, or let the leftovers of all writers pile up."""
    bundle.write(place, model(1))
    found = {"old": 0, "new": 0, "aside": 0}
    status = None
    while status != 0:
        before = version_of(place)
        if (child := os.fork()) == 0:
            die_at(sum(found.values()))
            bundle.write(place, model(before + 1))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), status
        after = version_of(place)
        assert after in (before, before + 1)
        found["aside" if not place.exists() else "new" if after > before else "old"] += 1
        if tidy or status == 0:
            bundle.write(place, model(after + 1))
            assert version_of(place) == after + 1
            assert [path.name for path in place.parent.iterdir()] == [place.name]
    return found


if __name__ == "__main__":
    if "two-steps" in sys.argv:
        atomic._exchanged = lambda new, place: False
    place = Path(sys.argv[1])
    if "on-and-on" in sys.argv:
        write_on_and_on(place)
    print(json.dumps([die_at_each_step(place, tidy) for tidy in (True, False)]))  # noqa: T201 - the result
