"""The settings of the translator."""

from __future__ import annotations

from sluicegate.tasks.arguments import Argument
from sluicegate.tasks.generation.config import WriterConfig

ARGUMENTS = (
    Argument(
        "data",
        "a table: .csv, .tsv, .parquet or .jsonl; or two text files with a comma between them, such as "
        "train.de,train.en, whose lines are pairs; gzip'd or not",
        "data",
        required=True,
    ),
    Argument("source", "the column of texts that are translated", usual="source", as_written=True),
    Argument("target", "the column of their translations", usual="target", as_written=True),
    Argument("groups", "the column of what must validate together", called="group", as_written=True, validates=False),
    Argument("validation", "a table or two text files to validate on", "data"),
)


class TranslatorConfig(WriterConfig):
    """Settings of a `Translator`; each has a default that follows the size of the training part or suits most."""
