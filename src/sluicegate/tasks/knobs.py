"""Kinds of numbers that settings are made of."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from sluicegate.errors import ConfigError


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        raise ValueError("must be a number, not a truth value")
    return value


# In Python a truth value is a whole number too, and pydantic would take True for 1.
Whole = Annotated[int, BeforeValidator(_no_truth_value)]
Real = Annotated[float, BeforeValidator(_no_truth_value)]
Positive = Annotated[Whole, Field(ge=1)]


def checked(config: type[BaseModel], owner: str, knobs: dict[str, Any]) -> Any:
    """The settings.

    Raises:
        ConfigError: a knob is unknown or out of its range.
    """
    try:
        return config(**knobs)
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            known = ", ".join(config.model_fields)
            raise ConfigError(f"there is no knob `{name}`: a {owner} has {known}") from None
        said = fault["msg"].removeprefix("Value error, ").replace("Input should", "must", 1)
        raise ConfigError(f"`{name}` (={fault['input']!r}) {said}") from None
