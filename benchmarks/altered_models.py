"""Alter saved models at random, make their manifests anew, and load and use each: an answer or an error of the tree.

    python benchmarks/altered_models.py 100000

Prints what ended otherwise, and how many did.
"""

import argparse
import copy
import json
import random
import warnings
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import numpy as np
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from sluicegate import bundle
from sluicegate.errors import SluicegateError
from sluicegate.tasks.base import restore

SAVED = Path(__file__).parents[1] / "tests" / "tasks" / "saved"
ODD = [
    None, True, False, -1, 0, 1, 2, 2**31, 2**53, 2**63, 10**30, -(2**63), 0.5, 1.5, -0.0, 1e-320, 1e308, float("nan"),
    float("inf"), -float("inf"), "", "a", "gru", "\ud800", "x" * 1000, [], [[]], [1], ["a", "a"], {}, {"a": 1},
]  # fmt: skip


def alter_value(value, chance):
    """Another value of any kind."""
    if isinstance(value, bool | int | float) and chance.random() < 0.4:
        return chance.choice([value + 1, -value, value * 2, value * 1000, float(value), str(value), [value]])
    if isinstance(value, list) and value and chance.random() < 0.5:
        return chance.choice([value[:-1], value + value[-1:], value[::-1], value * 2])
    return copy.deepcopy(chance.choice(ODD))


def alter_json(content, chance):
    """A JSON text with one to three values altered, dropped, added, or there twice."""
    parsed = json.loads(content)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        holder, key = None, None
        node = parsed
        while isinstance(node, dict | list) and node and (holder is None or chance.random() < 0.8):
            holder = node
            key = chance.choice(list(node)) if isinstance(node, dict) else chance.randrange(len(node))
            node = node[key]
        if holder is None:
            return json.dumps(copy.deepcopy(chance.choice(ODD))).encode()
        if chance.random() < 0.15:
            del holder[key]
        else:
            holder[key] = alter_value(node, chance)
    if chance.random() < 0.01:
        return b"[" * 100_000
    return json.dumps(parsed).encode()


def alter_array(array, chance):
    """An array of another shape, type or content."""
    kind = chance.randrange(9)
    if kind == 0 and array.size:
        array = array.copy()
        array.flat[chance.randrange(array.size)] = chance.choice([0, -1, 1, 100])
    elif kind == 1 and array.size and array.dtype.kind == "f":
        array = array.copy()
        array.flat[chance.randrange(array.size)] = chance.choice([np.nan, np.inf, -np.inf, 1e38, -1e38, 0.0])
    elif kind == 2:
        array = array.astype(chance.choice([np.float64, np.float32, np.float16, np.int64, np.int32, np.uint8, bool]))
    elif kind == 3:
        array = array.reshape(-1)
    elif kind == 4:
        array = array[..., None]
    elif kind == 5 and array.ndim:
        array = array[:-1]
    elif kind == 6 and array.ndim and len(array):
        array = np.concatenate([array, array[-1:]])
    elif kind == 7:
        array = array[:0] if array.ndim else array
    else:
        array = array.T
    return np.ascontiguousarray(array)


def alter_arrays(content, chance):
    """A safetensors file with arrays altered, dropped or added, or of other bytes."""
    if chance.random() < 0.05:
        place = chance.randrange(min(len(content), 400))
        return content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
    if chance.random() < 0.02:
        return (2 ** chance.randrange(20, 63)).to_bytes(8, "little") + content[8:]
    arrays = load_arrays(content)
    for name in chance.sample(sorted(arrays), min(len(arrays), chance.choice([1, 1, 2]))):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arrays[name] = alter_array(arrays[name], chance)
        if chance.random() < 0.1:
            del arrays[name]
    if chance.random() < 0.05:
        arrays["more"] = np.zeros(3)
    return save_arrays(arrays)


def altered(files, others, chance):
    """The files of a model, one or two of them altered."""
    files = dict(files)
    for name in chance.sample(sorted(files), chance.choice([1, 1, 1, 2])):
        if chance.random() < 0.03:
            files[name] = chance.choice([other[name] for other in others if name in other] or [b""])
        elif chance.random() < 0.02 and name != bundle.CONFIG:
            del files[name]
        else:
            files[name] = (alter_json if name.endswith(".json") else alter_arrays)(files[name], chance)
    return files


def use(model):
    """Everything that a loaded model is asked for; what it refuses in a sentence is well."""
    uses = {
        "forecast": [model.predict],
        "classify-text": [lambda: model.predict(["A lovely film", "dull", ""]), lambda: model.explain("a dull film")],
        "classify-series": [lambda: model.predict([np.ones((20, 2)), np.zeros((9, 2))]),
                            lambda: model.explain(np.ones((20, 2)))],
    }  # fmt: skip
    for one in [*uses[model.name], lambda: str(model.report), lambda: repr(model), model._files]:
        with suppress(SluicegateError):
            one()


def try_one(files):
    """Load and use a model; what it ends in where that is neither an answer nor an error of the tree."""
    try:
        model = restore(bundle.Bundle(Path("altered"), MappingProxyType(files)))
    except SluicegateError:
        return None
    except BaseException as error:  # a panic of Rust is no Exception
        return error
    try:
        use(model)
    except BaseException as error:
        return error
    return None


def models():
    """The files of each saved model."""
    return [
        {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name != bundle.MANIFEST}
        for folder in sorted(SAVED.iterdir())
        if folder.is_dir()
    ]


def run(count, seed=0):
    """Try so many alterations, spread over all models; those that end otherwise, as pairs of seed and error."""
    found, all_models = [], models()
    for number in range(seed, seed + count):
        chance = random.Random(number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            error = try_one(altered(chance.choice(all_models), all_models, chance))
        if error is not None:
            found.append((number, error))
    return found


if __name__ == "__main__":
    import collections
    import traceback

    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    failures = run(arguments.count, arguments.seed)
    kinds = collections.Counter()
    for number, error in failures:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "sluicegate" in f.filename]
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        kinds[
            f"{type(error).__name__} {str(error)[:90]!r} at {where} e.g. {number}" if kinds[where] == 0 else where
        ] += 1
        kinds[where] += 0
    print(f"{arguments.count:,} altered models, {len(failures)} ended in something else")
    for kind, times in kinds.items():
        print(times, kind)
