"""What the settings of all tasks have: kinds of numbers, those that every task has, and how they are checked.

A setting is described once, in its field: the documentation comes from there.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sluicegate.errors import ConfigError
from sluicegate.types import Cell

from .arguments import Group


def _no_truth_value(value: Any) -> Any:
    if type(value).__name__ == "bool":  # NumPy's too, and NumPy is not imported for it
        raise ValueError("must be a number, not a truth value")
    return value


# In Python a truth value is a whole number too, and pydantic would take True for 1.
Whole = Annotated[int, BeforeValidator(_no_truth_value)]
Real = Annotated[float, BeforeValidator(_no_truth_value)]
Positive = Annotated[Whole, Field(ge=1)]
Share = Annotated[Real, Field(ge=0, lt=1)]
Strength = Annotated[Real, Field(ge=0, allow_inf_nan=False)]

CellKnob = Annotated[Cell, Field(description="`gru`, `lstm`, `rnn`, `mingru` or `ligru`"), Group.MODEL]
Seed = Annotated[
    Whole,
    Field(ge=0, lt=2**31, description="the random seed of training; the same seed gives the same weights to the bit"),
    Group.TRAINING,
]
Layers = Annotated[Positive, Field(description="recurrent layers on top of one another"), Group.MODEL]
LearningRate = Annotated[
    Real, Field(gt=0, allow_inf_nan=False, description="the highest learning rate of AdamW"), Group.TRAINING
]
Patience = Annotated[
    Positive,
    Field(description="validation checks without a better one after which training stops"),
    Group.TRAINING,
]


class TaskConfig(BaseModel):
    """The settings of a task, which refuse what they do not know.

    Each field of a subclass says what it is for, and in a `Group` where the command line's help shows it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    if TYPE_CHECKING:  # every task has these, each where its own order puts them
        cell: Cell
        seed: int

    both_ways: ClassVar[bool] = False
    """Whether the recurrent layers read in both directions."""

    @property
    def units(self) -> int:
        """Units of the recurrent layers; where these follow the data, those of much of it."""
        hidden: int = getattr(self, "hidden")  # noqa: B009 - every task's, but None stands for a default in some
        return hidden

    @property
    def reads(self) -> int:
        """Values that the first recurrent layer reads at each step."""
        return self.units

    @classmethod
    def __pydantic_init_subclass__(cls, **arguments: Any) -> None:
        """List the fields below the docstring, for `help()`."""
        super().__pydantic_init_subclass__(**arguments)
        fields = "\n".join(f"    {name}: {field.description}." for name, field in cls.model_fields.items())
        cls.__doc__ = f"{inspect.getdoc(cls)}\n\nArgs:\n{fields}\n"


def checked(config: type[BaseModel], owner: str, settings: dict[str, Any]) -> Any:
    """The settings, checked.

    Raises:
        ConfigError: a setting is unknown or out of its range.
    """
    try:
        return config(**settings)
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            known = ", ".join(config.model_fields)
            raise ConfigError(f"there is no setting `{name}`: a {owner} has {known}") from None
        message = fault["msg"].removeprefix("Value error, ").replace("Input should", "must", 1)
        raise ConfigError(f"`{name}` (={fault['input']!r}) {message}") from None


def listed(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """The columns that tell series apart: none, one or several."""
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def told_apart(names: str | Sequence[str] | None, answer: str) -> str | tuple[str, ...] | None:
    """The column or columns that tell series apart; several keep their names in the answer.

    Raises:
        ConfigError: one of several has a name of the pattern `answer`, as the answer's other columns have.
    """
    if names is None or isinstance(names, str):
        return names
    if len(names) < 2:
        return names[0] if names else None
    for name in names:
        if re.fullmatch(answer, name):
            raise ConfigError(
                f"`series` (={', '.join(names)}) holds {name!r}, which the answer calls a column of its own: rename it "
                "in the table"
            )
    return tuple(names)
