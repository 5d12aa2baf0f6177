"""What a task's `fit` is told of the data, declared once as values, and in which group of options each setting is.

The command line, studies and readers take it from here.

Nothing heavy is imported here: the help of a command is there before PyTorch would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias


class Group(Enum):
    """The groups of options in the help of the command line, in order; each setting names its own in its field."""

    DATA = "Data"
    MODEL = "Model"
    TRAINING = "Training"
    OUTPUT = "Output"


@dataclass(frozen=True)
class Called:
    """In a field: what the option is called that gives one value of several, without its dashes."""

    option: str


Kind: TypeAlias = Literal["data", "column", "array", "either", "file"]
"""What an argument names: data of the task's own kind, as `data` and `validation` do; a column of a table; an array of
an .npz file; the one or the other; a file of another kind."""


@dataclass(frozen=True)
class Argument:
    """An argument of `fit` that says where the data are, or what in them is what.

    Args:
        name: of the argument.
        help: what it is for, without a full stop.
        kind: what it names.
        called: what the option is called, without its dashes; as the argument unless given.
        required: whether `fit` does without it.
        several: whether it may name several.
        usual: the name that is taken unless one is given.
        as_written: whether it names a column of ids, classes, groups or texts, which is read as it is written.
        validates: whether rows that validate have it too.
    """

    name: str
    help: str
    kind: Kind = "column"
    called: str = ""
    required: bool = False
    several: bool = False
    usual: str | None = None
    as_written: bool = False
    validates: bool = True

    @property
    def option(self) -> str:
        """What the option is called, without its dashes."""
        return (self.called or self.name).replace("_", "-")


DATA = Argument("data", "a table: .csv, .tsv, .parquet or .jsonl", "data", required=True)
ARRAY = Argument("array", "in an .npz file, the array of the recordings; by default, X", "array")
LENGTHS = Argument("lengths", "in an .npz file, the array of their lengths; by default, lengths", "array")
