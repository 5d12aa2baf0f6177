"""`sluicegate fit classify-text`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ..failures import failing_plainly
from ..options import CellOption, Data, Debug, Json, Resume, Saved, Seed, Threads, given_only


def classify_text(
    data: Data,
    out: Saved,
    text: Annotated[str, typer.Option(help="The column of texts.")] = "text",
    label: Annotated[str, typer.Option(help="The column of classes.")] = "label",
    group: Annotated[str | None, typer.Option(help="The column of what must validate together.")] = None,
    validation: Annotated[Path | None, typer.Option(help="A table to validate on.")] = None,
    vectors: Annotated[
        Path | None, typer.Option(help="Word vectors to start from: text of word2vec, GloVe or fastText.")
    ] = None,
    cell: CellOption = "gru",
    seed: Seed = 0,
    folds: Annotated[int | None, typer.Option(help="Networks, each validated on another part of the rows.")] = None,
    blend: Annotated[
        bool | None, typer.Option("--blend/--no-blend", help="Average with the better simple method.")
    ] = None,
    embedding: Annotated[int | None, typer.Option(help="Numbers that a word is read as.")] = None,
    hidden: Annotated[int | None, typer.Option(help="Units of the recurrent layer in each direction.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Rate at which units are dropped in training.")] = None,
    robust: Annotated[float | None, typer.Option(help="From 0 to 1: how little wrong labels weigh.")] = None,
    batch: Annotated[int | None, typer.Option(help="Texts in a step of training.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest learning rate.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Times that the rows are gone through at most.")] = None,
    patience: Annotated[
        int | None, typer.Option(help="Validation checks without progress after which training stops.")
    ] = None,
    resume: Resume = False,
    threads: Threads = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train a model that tells classes of texts apart."""
    with failing_plainly(debug):
        from sluicegate.tasks import TextClassifier

        from ..reading import read_rows
        from ..training import Read, fit_files

        knobs = {
            "embedding": embedding,
            "hidden": hidden,
            "dropout": dropout,
            "robust": robust,
            "batch": batch,
            "learning_rate": learning_rate,
            "epochs": epochs,
            "patience": patience,
        }
        given = given_only(**knobs)
        task = TextClassifier(cell=cell, seed=seed, folds=folds, blend=blend, **given)
        columns = {"text": text, "label": label, "groups": group}

        def read(path: Path) -> Read:
            table, source = read_rows(path, TextClassifier, columns)
            return table, columns, source

        fit_files(
            task,
            out,
            partial(read, data),
            None if validation is None else partial(read, validation),
            threads=threads,
            resume=resume,
            json=json,
            beside={"vectors": vectors},
        )
