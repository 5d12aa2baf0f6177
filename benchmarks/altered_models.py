"""Alter saved models at random, make their manifests anew, and load and use each: an answer or an error of the tree.

    python benchmarks/altered_models.py 100000

Prints what ended otherwise, and how many did.
"""

import argparse
import copy
import datetime
import json
import logging
import random
import traceback
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from sluicegate import (
    Forecaster,
    LanguageModel,
    SeriesClassifier,
    Summarizer,
    TextClassifier,
    Translator,
    bundle,
)
from sluicegate.errors import SluicegateError
from sluicegate.tasks.task import restore

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


def forecaster_uses(model):
    """Calls of a forecaster: with nothing, and with its own last rows and what could follow them."""
    trained = model._trained
    tail, columns, horizon = trained.tail, trained.columns, trained.shape.horizon

    def table(more):
        which = np.repeat(np.arange(len(tail.names)), tail.lengths + more)
        rows = np.concatenate(
            [begin + np.arange(n + more) for begin, n in zip(tail.bounds, tail.lengths, strict=False)]
        )
        found = {columns.time: tail.axis.stamps(tail.ticks(which, rows))}
        for name in columns.values:
            found[name] = tail.columns[name][rows % tail.rows]
        roles = columns.series if isinstance(columns.series, tuple) else (columns.series,) if columns.series else ()
        for at, name in enumerate(roles):
            names = [own[at] if isinstance(own, tuple) else own for own in tail.names]
            found[name] = pl.Series(names)[which]
        return pl.DataFrame(found)

    yield model.predict
    yield lambda: model.predict(table(0), future=table(horizon) if columns.known else None)
    yield lambda: model.evaluate(table(horizon + 1), baselines=(), progress=False)


def text_uses(model):
    """Calls of a classifier of texts."""
    labels = list(model._trained.labels.classes)[:3]
    texts = ["A lovely film", "dull", ""][: len(labels)]
    yield lambda: model.predict(["A lovely film", "dull", ""])
    yield lambda: model.explain("a dull film")
    table = {model._trained.text: texts, model._trained.labels.column: labels}
    yield lambda: model.evaluate(pl.DataFrame(table))


def series_uses(model):
    """Calls of a classifier of recordings."""
    labels = list(model._trained.labels.classes)[:2]
    recordings = [np.ones((20, 2)), np.arange(18.0).reshape(9, 2)]
    yield lambda: model.predict(recordings)
    yield lambda: model.explain(recordings[1])
    yield lambda: model.evaluate(recordings, labels)


def action_uses(model):
    """Calls of a recognizer of actions."""
    labels = list(model._trained.labels.classes)[:2]
    dimensions = model._trained.shape.dimensions
    clips = [np.ones((20, 6, dimensions)), np.arange(9.0 * 6 * dimensions).reshape(9, 6, dimensions)]
    yield lambda: model.predict(clips)
    yield lambda: model.explain(clips[1])
    yield lambda: model.open_stream().push(clips[1][0])
    yield lambda: model.evaluate(clips, labels)


def writer_uses(model):
    """Calls of a translator or a summarizer."""
    texts = ["der Hund 7 rennt.", "ein Fisch? " * 9, "", "\u732b"]
    yield lambda: model.predict(texts)
    if isinstance(model, Translator):
        yield lambda: model.translate(texts[:1], alternatives=2)
        yield lambda: model.explain(texts[0])
    else:
        yield lambda: model.summarize(texts[:1], max_words=2)
    table = dict(zip(model._trained.columns, (texts[:2], ["the dog", "a fish?"]), strict=True))
    yield lambda: model.evaluate(pl.DataFrame(table))


def language_uses(model):
    """Calls of a language model."""
    texts = ["der Hund\nthe dog 7", "", "\u732b"]
    yield lambda: model.score(texts)
    yield lambda: model.generate("the", max_words=3)
    yield lambda: model.complete("der", beam=2, max_words=3)
    yield lambda: model.open_stream().push(["the dog", "\n"])
    yield lambda: model.evaluate(texts, cache=20, dynamic=0.1)


def speech_uses(model):
    """Calls of a transcriber."""
    sound = np.sin(np.arange(6000) * 0.4).astype(np.float32) * np.hanning(6000).astype(np.float32)
    yield lambda: model.transcribe(sound, rate=8000)
    yield lambda: model.transcribe(sound, rate=8000, words=["one", "two"], hot_words={"one": 1.0})
    yield lambda: model.open_stream().push([sound, sound], rate=8000)
    yield lambda: model.add_words(["one"])
    columns = model._trained.columns
    table = pl.DataFrame({columns["audio"]: [sound.tolist()] * 2}).with_columns(
        pl.Series(["one", "two"]).alias(columns["text"])
    )
    yield lambda: model.evaluate(table, rate=8000)


USES = {
    "forecast": forecaster_uses,
    "classify-text": text_uses,
    "classify-series": series_uses,
    "translate": writer_uses,
    "summarize": writer_uses,
    "language-model": language_uses,
    "recognize-actions": action_uses,
    "transcribe": speech_uses,
}


def use(model, chance):
    """What a loaded model is asked for; what it refuses in a sentence is well."""
    *calls, evaluation = USES[model.name](model)
    calls += [lambda: str(model.report), lambda: repr(model)]
    if chance.random() < 0.2:  # each takes longer than all the others
        calls += [chance.choice([evaluation, model.files])]
    for call in calls:
        with suppress(SluicegateError):
            call()


def try_one(files, chance):
    """Load and use a model; what it ends in where that is neither an answer nor an error of the tree."""
    try:
        model = restore(bundle.Bundle(Path("altered"), MappingProxyType(files)))
    except SluicegateError:
        return None
    except BaseException as error:  # a panic of Rust is no Exception
        return error
    try:
        use(model, chance)
    except BaseException as error:
        return error
    return None


def sales(rows, every):
    """Two shops with two items each: counts, many of them 0, prices that are known in advance, and an empty end."""
    start = pl.datetime(2024, 1, 1)
    time = pl.select(pl.datetime_range(start, pl.datetime(2044, 1, 1), every).head(rows)).to_series()
    chance, parts = np.random.default_rng(0), []
    for number in range(4):
        sold = chance.poisson(2.0, rows) * (chance.random(rows) < 0.6) * 1.0
        parts.append(
            pl.DataFrame(
                {
                    "shop": ["north"] * rows if number < 2 else ["south"] * rows,
                    "item": number % 2,
                    "time": time,
                    "price": chance.random(rows),
                    "sold": [None if row >= rows - 8 else sold[row] for row in range(rows)],
                    "visits": np.round(20 + 10 * np.sin(np.arange(rows)) + chance.random(rows), 2),
                }
            )[number:]
        )
    return pl.concat(parts)


def fresh():
    """Models of the present form, with what earlier versions did not keep."""
    settings = {"hidden": 4, "steps": 4, "batch": 32}
    weekdays = sales(160, "1d").filter(pl.col("time").dt.weekday() < 6)
    closed = datetime.date(2024, 3, 6)
    shops = Forecaster(4, context=10, holidays=[closed], **settings).fit(
        weekdays.filter(pl.col("time").dt.date() != closed),
        time="time", target="sold", series=["shop", "item"], known=["price"], progress=False,
    )  # fmt: skip
    hours = sales(150, "1h").drop_nulls().with_columns(pl.col("time").dt.replace_time_zone("Europe/Berlin"))
    zoned = Forecaster(3, cell="mingru", context=24, **settings).fit(
        hours.filter(pl.col("shop") == "north").to_arrow(),
        time="time", target=["visits", "sold"], series="item", past=["price"], progress=False,
    )  # fmt: skip
    months = sales(60, "1mo").drop_nulls().filter((pl.col("shop") == "north") & (pl.col("item") == 0))
    ends = months.with_columns(pl.col("time").dt.month_end().dt.date())
    monthly = Forecaster(2, context=12, cell="rnn", **settings).fit(ends, time="time", target="visits", progress=False)
    rows = [
        (f"the {word} number {n}", word in "lovely Great") for n in range(6) for word in ("lovely", "Great", "dull")
    ]
    texts = TextClassifier(hidden=4, embedding=4, folds=2, epochs=1).fit(
        pl.DataFrame(rows, schema=["text", "label"], orient="row"), progress=False
    )
    runs = TextClassifier(hidden=4, embedding=4, folds=1, epochs=1).fit(
        pl.DataFrame(
            [(w * 30 + str(n), w) for n in range(12) for w in ("ACGT", "GGAT")], ["text", "label"], orient="row"
        ),
        progress=False,
    )
    steps = [np.arange(12 + n)[:, None] * [0.1, 0.2] % (1 + n % 2) for n in range(12)]
    recordings = SeriesClassifier(hidden=4, folds=1, steps=2).fit(steps, ["fast", "slow"] * 6, progress=False)
    return [shops, zoned, monthly, texts, runs, recordings, *fresh_writers()]


def fresh_writers():
    """Models of the present form that write."""
    settings = {"hidden": 4, "embedding": 4, "layers": 1, "epochs": 1}
    table = pl.DataFrame({"text": [f"ein Hund {n}." for n in range(12)], "said": [f"a dog {n}" for n in range(12)]})
    translator = Translator(subwords=20, beam=2, **settings).fit(table, source="text", target="said", progress=False)
    summarizer = Summarizer(subwords=20, beam=2, **settings).fit(table, summary="said", progress=False)
    language = LanguageModel(members=2, **settings).fit(table["said"], progress=False)
    return [translator, summarizer, language]


def models(trained):
    """The files of each saved model, and of these."""
    saved = [
        {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name != bundle.MANIFEST}
        for folder in sorted(SAVED.iterdir())
        if folder.is_dir()
    ]
    for model in trained:
        model._results = replace(model._results, page=b"")  # drawing one takes seconds
    people = {"MODEL_CARD.md", "report.html"}
    return saved + [{n: c for n, c in model.files().items() if n not in people} for model in trained]


def run(count, all_models, seed=0):
    """Try so many alterations, spread over all models; those that end otherwise, as pairs of seed and error."""
    for number in range(seed, seed + count):
        chance = random.Random(number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            error = try_one(altered(chance.choice(all_models), all_models, chance), chance)
        if error is not None:
            yield number, error


def told(number, error):
    """A line on what a model ended in, and where."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "src/sluicegate" in f.filename]
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{number}: {type(error).__name__} {str(error)[:90]!r} at {where}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.disable()
    all_models, found, step = models(fresh()), 0, 1000
    for begin in range(0, arguments.count, step):
        for number, error in run(min(step, arguments.count - begin), all_models, arguments.seed + begin):
            found += 1
            print(told(number, error), flush=True)
        print(f"{min(begin + step, arguments.count):,} altered models, {found} ended in something else", flush=True)
