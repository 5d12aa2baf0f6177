"""Small models that an earlier version saved: `python tests/tasks/saved_models.py` adds those that are missing.

A model in `saved/` is never written anew: it stands for what users have on their disks. Where the form of a saved model
changes, name another one here, so that both forms are kept.
"""

import json
from pathlib import Path

import numpy as np
import polars as pl
import torch

import sluicegate
from sluicegate import _core, bundle

FOLDER = Path(__file__).parent / "saved"
PEOPLE = ("report.html", "MODEL_CARD.md")  # what people read of a model: large, and nothing is predicted from it


def machine():
    """What the last bits of a sum hang on."""
    return {"torch": torch.__version__, "processor": _core.cpu_info().brand, "isa": _core.isa()}


def rows_of(frame):
    """A frame as JSON holds it, its doubles exact."""
    return {
        name: [v if isinstance(v, float | bool) else str(v) for v in frame[name].to_list()] for name in frame.columns
    }


def waves(rows, series=("a", "b"), every="1h"):
    """Waves of a day, of different levels; sines of whole numbers, rounded, are the same on every machine."""
    start = pl.datetime(2024, 1, 1)
    time = pl.select(pl.datetime_range(start, pl.datetime(2040, 1, 1), every).head(rows)).to_series()
    hours = np.arange(rows)
    parts = []
    for number, name in enumerate(series, 1):
        holiday = (hours // 24 % 7 == 6).astype(float)
        swing = 3 * np.sin(2 * np.pi * hours / 24) + hours * number % 5 * 0.1
        columns = {"id": [name] * rows, "time": time, "price": 2 + holiday, "wind": hours % 7 / 7.0}
        sales = np.round(10 * number + number * swing - 2 * holiday, 4)
        parts.append(pl.DataFrame({**columns, "sales": sales, "visits": np.round(sales**2, 4)}))
    return pl.concat(parts)


def forecaster(
    cell, rows, *, columns=("sales",), keep=("id", "time"), covariates=None, every="1h", names=("a", "b"), **knobs
):
    """How a forecaster is trained, and how it is asked."""
    covariates = covariates or {}
    table = waves(rows + 6, names, every)
    history = table.filter(pl.int_range(pl.len()).over("id") < rows)
    wanted = [*keep, *columns, *(name for group in covariates.values() for name in group)]
    roles = {"time": "time", "target": list(columns), "series": "id" if "id" in keep else None, **covariates}
    future = {"future": table.select([*keep, *covariates["known"]])} if "known" in covariates else {}

    def train():
        task = sluicegate.Forecaster(6, cell=cell, hidden=4, steps=40, batch=32, **knobs)
        return task.fit(history.select(wanted), **roles, progress=False)

    return train, lambda model: model.predict(history.select(wanted), **future)


def texts():
    """Sentences in which one word tells the class."""
    told = {"good": ["fine", "lovely", "Great"], "bad": ["awful", "dull", "Poor"]}
    about = ["the film", "a story", "its cast", "This plot"]
    return [
        (f"{a} is {word} number {n}", label) for n, a in enumerate(about * 2) for label in told for word in told[label]
    ]


def text_classifier(cell, label, **knobs):
    """How a classifier of texts is trained, and how it is asked; `label` makes a class of a word for it."""

    def train():
        rows = [(text, label(name)) for text, name in texts()]
        task = sluicegate.TextClassifier(cell=cell, folds=2, hidden=4, embedding=4, epochs=4, batch=16, **knobs)
        return task.fit(pl.DataFrame(rows, schema=["text", "label"], orient="row"), progress=False)

    return train, lambda model: model.predict(
        ["A LOVELY film, number 3", "dull", "", "unheard-of wörds", "poor " * 600]
    )


def series_classifier(cell, **knobs):
    """How a classifier of recordings is trained, and how it is asked."""
    lengths = np.arange(12, 36)
    recordings = [
        np.round(np.stack([np.sin(t * (0.3 if n % 2 else 0.9)), t % 3], axis=1), 4)
        for n, t in enumerate(map(np.arange, lengths))
    ]

    def train():
        task = sluicegate.SeriesClassifier(cell=cell, folds=2, hidden=4, steps=30, batch=8, **knobs)
        return task.fit(recordings, ["fast", "slow"] * (len(lengths) // 2), progress=False)

    return train, lambda model: model.predict(recordings[::5])


def action_recognizer(dimensions, **knobs):
    """How a recognizer of actions is trained, and how it is asked: a figure moves a hand to the side or upwards."""
    rest = np.array([[0, 0, 0], [0, 1, 0], [-0.5, 1, 0.1], [-1, 1, 0], [0.5, 1, 0.1], [1, 1, 0]])[:, :dimensions]
    clips = []
    for number in range(20):
        steps = np.arange(14 + number % 5)
        body = np.repeat(rest[None], len(steps), axis=0) * (1 + number % 3)
        body[:, 3, number % 2] += np.sin(0.4 * steps + number)
        body[number % 7, number % 6] = np.nan
        clips.append(np.round(body, 4))

    def train():
        settings = {"folds": 2, "whole": 1, "hidden": 4, "steps": 30, "batch": 8}
        task = sluicegate.ActionRecognizer(layout="0-1 1-2 2-3 1-4 4-5", **settings | knobs)
        return task.fit(clips, ["wave", "raise"] * 10, progress=False)

    return train, lambda model: model.predict(clips[::3])


def pairs(rows=48):
    """German sentences of three words and English ones, and a third of them questions."""
    words = (
        {"ein": "a", "der": "the"},
        {"Hund": "dog", "Vogel": "bird", "Baum": "tree"},
        {"rennt": "runs", "schläft": "sleeps"},
    )
    for row in range(rows):
        said = [list(some.items())[row // (row % 3 + 1) % len(some)] for some in words]
        source, target = (" ".join(part[side] for part in said) for side in (0, 1))
        yield (f"{source}?", f"{target}?") if row % 3 == 0 else (f"{source} {row}.", f"{target} {row}.")


WRITER = {
    "hidden": 4,
    "embedding": 8,
    "layers": 1,
    "epochs": 60,
    "batch": 8,
    "subwords": 40,
    "learning_rate": 2e-2,
    "dropout": 0.1,
    "beam": 2,
}


def writes(task, columns, asked, **knobs):
    """How a task that writes is trained, and how it is asked; of the words' confidence the mean."""

    def train():
        table = pl.DataFrame(list(pairs()), schema=columns, orient="row")
        return task(**WRITER, **knobs).fit(table, progress=False)

    def ask(model):
        written = getattr(model, asked)(["der Hund 7 rennt.", "ein Fisch?", "", "猫"], alternatives=2)
        return written.with_columns(pl.col("confidence").list.mean().fill_null(0.0))

    return train, ask


def translator(**knobs):
    """How a translator is trained, and how it is asked."""
    return writes(sluicegate.Translator, ["source", "target"], "translate", **knobs)


def summarizer(**knobs):
    """How a summarizer is trained, and how it is asked."""
    return writes(sluicegate.Summarizer, ["text", "summary"], "summarize", **knobs)


def language_model(cell, **knobs):
    """How a language model is trained, and how it is asked."""

    def train():
        texts = ["\n".join(pair) for pair in pairs()]
        task = sluicegate.LanguageModel(
            cell=cell, hidden=4, embedding=8, epochs=20, batch=4, piece=8, learning_rate=2e-2, **knobs
        )
        return task.fit(texts, progress=False)

    def ask(model):
        told = model.score(["der Hund 7 rennt.\nthe dog", "", "猫"])
        return told.with_columns(completed=pl.lit(model.complete("der Hund", beam=2, max_words=4)))

    return train, ask


def transcriber(**knobs):
    """How a transcriber is trained, and how it is asked; of the words' times and confidence the mean."""

    def train():
        rows = [["one", "two", "one two"][row % 3] for row in range(24)]
        table = pl.DataFrame({"path": [tones(text, row) for row, text in enumerate(rows)], "text": rows})
        settings = {"epochs": 60, "batch": 4, "versions": 1, "learning_rate": 3e-2, "layers": 1, "hidden": 4, "beam": 2}
        return sluicegate.Transcriber(**settings | knobs).fit(table, rate=8000, progress=False)

    def ask(model):
        written = model.predict([tones(text, 30) for text in ("one", "two", "two one", "")])
        return written.with_columns(pl.col("begin", "end", "confidence").list.mean().fill_null(0.0))

    return train, ask


def tones(text, row):
    """A recording in which each word is a tone, in a little noise."""
    time = np.arange(1600) / 8000
    parts = [np.sin(2 * np.pi * {"one": 500, "two": 1500}[word] * time) * np.hanning(1600) for word in text.split()]
    samples = np.concatenate([np.zeros(800), *parts, np.zeros(800)])
    return np.round(samples * 0.3 + 0.01 * np.sin(np.arange(len(samples)) * (row + 5.0) ** 2), 4).astype(np.float32)


MODELS = {
    "forecast-gru": forecaster("gru", 200, covariates={"known": ["price"], "past": ["wind"]}, quantiles=(0.25,)),
    "forecast-mingru": forecaster("mingru", 60, every="1mo", columns=("sales", "visits"), context=12),
    "forecast-lstm": forecaster("lstm", 120, keep=("time",), names=("a",), every="1d", fill="zero"),
    "forecast-rnn": forecaster("rnn", 120, every="1h", layers=2, segment=4),
    "forecast-combined": forecaster("gru", 150, every="1d", columns=("visits",)),
    "text-gru": text_classifier("gru", str, blend=True),
    "text-lstm": text_classifier("lstm", lambda name: name == "good", lowercase=False),
    "text-mingru": text_classifier("mingru", len, balance=1.0),
    "series-gru": series_classifier("gru", blend=True),
    "series-rnn": series_classifier("rnn", window=16, balance=0.5),
    "series-causal": series_classifier("lstm", causal=True),
    "actions-gru": action_recognizer(3),
    "actions-rnn": action_recognizer(2, cell="rnn", balance=0.5, mirror=True, frames=16),
    "actions-causal": action_recognizer(2, cell="lstm", causal=True),
    "translate-gru": translator(members=2),
    "translate-lstm": translator(cell="lstm", copies=False),
    "summarize-mingru": summarizer(cell="mingru", longest=6),
    "language-gru": language_model("gru"),
    "language-lstm": language_model("lstm", subwords=30, layers=2),
    "language-groups": language_model("gru"),
    "language-members": language_model("mingru", members=2),
    "transcribe-gru": transcriber(),
    "transcribe-characters": transcriber(cell="lstm", streaming=False, subwords=0),
}


def add(name):
    """Train a model, and put it and what it predicts into `saved/`."""
    train, ask = MODELS[name]
    files = {file: content for file, content in train().files().items() if file not in PEOPLE}
    bundle.write(FOLDER / name, files)
    said = rows_of(ask(sluicegate.load(FOLDER / name)))
    (FOLDER / f"{name}.json").write_text(json.dumps({"machine": machine(), "said": said}, indent=1) + "\n")


if __name__ == "__main__":
    from sluicegate.tasks.classify_series import baselines, trained
    from sluicegate.tasks.language_model import vocabulary
    from sluicegate.tasks.recognize_actions import baselines as action_baselines
    from sluicegate.tasks.recognize_actions import trained as action_trained
    from sluicegate.tasks.transcribe.baselines import hidden_markov, templates

    torch.set_num_threads(1)
    for module in (baselines, trained, action_baselines, action_trained):
        module.has_minirocket = lambda: False  # its 10,000 features would take most of the space
    hidden_markov._GAUSSIANS, templates._REMEMBERED = (1, 1), 6
    FOLDER.mkdir(exist_ok=True)
    for name in MODELS:
        # As large vocabularies have: groups of rarer tokens.
        vocabulary._GROUPED, vocabulary._COMMON = (100, 20) if name == "language-groups" else (4000, 800)
        if not (FOLDER / name).exists():
            add(name)
