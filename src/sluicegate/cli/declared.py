"""Options made of what tasks declare: the arguments of `fit` that tell of the data, and the fields of the settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from inspect import Parameter
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sluicegate.tasks.arguments import Argument, Called, Group

from .options import sentence

KINDS = (bool, int, float)
"""What the command line reads itself; all else is text, which the settings read."""


def parameter(name: str, kind: Any, option: Any, *, required: bool = False, default: Any = None) -> Parameter:
    """A parameter of a command."""
    asked = kind if required or default is not None else kind | None
    given = Parameter.empty if required else default
    return Parameter(name, Parameter.KEYWORD_ONLY, default=given, annotation=Annotated[asked, option])


def of_argument(argument: Argument, *, free: bool = False) -> Parameter:
    """The option, or for `data` the argument, that an argument of `fit` is; `free` if it may be left out."""
    path = argument.kind in ("data", "file")
    kind: Any = Path if path else str
    if argument.name == "data":
        return parameter("data", kind, typer.Argument(help=sentence(argument.help)), required=True)
    option = typer.Option(
        f"--{argument.option}",
        help=sentence(argument.help),
        metavar=None if path else "NAME",
        rich_help_panel=Group.DATA.value,
    )
    kind = list[kind] if argument.several else kind
    required, usual = (False, None) if free else (argument.required, argument.usual)
    return parameter(argument.name, kind, option, required=required, default=usual)


def of_config(config: type[BaseModel] | None) -> list[Parameter]:
    """An option for each field of a task's settings."""
    return [of_field(name, field) for name, field in ({} if config is None else config.model_fields).items()]


def option_of(name: str, field: FieldInfo) -> str:
    """What the option of a field is called, without its dashes."""
    called = next((mark.option for mark in field.metadata if isinstance(mark, Called)), name)
    return called.replace("_", "-")


def group_of(field: FieldInfo) -> Group:
    """The group of the help that shows a field."""
    return next((mark for mark in field.metadata if isinstance(mark, Group)), Group.MODEL)


def of_field(name: str, field: FieldInfo, *, free: bool = False) -> Parameter:
    """The option of a field: left out, the settings have their default; `free` if even one without may be left out."""
    inside = [*_inside(field.annotation), *field.metadata]
    kind: Any = next((kind for kind in KINDS if kind in inside), str)
    choices = [choice for part in inside if get_origin(part) is Literal for choice in get_args(part)]
    several, option = ... in inside, option_of(name, field)
    option = typer.Option(
        f"--{option}/--no-{option}" if kind is bool else f"--{option}",
        help=_help(field, inside, several),
        metavar=f"<{'|'.join(choices) or _named(inside)}>" if kind is not bool else None,
        autocompletion=_completing(choices) if choices else None,
        rich_help_panel=group_of(field).value,
    )
    return parameter(name, list[kind] if several else kind, option, required=field.is_required() and not free)


def _inside(annotation: Any) -> Iterator[Any]:
    """All that an annotation is made of: types, lists of choices, and what limits them."""
    parts = get_args(annotation)
    if isinstance(annotation, FieldInfo):
        yield from annotation.metadata
    elif parts and get_origin(annotation) is not Literal:
        for part in parts:
            yield from _inside(part)
    else:
        yield annotation


def _help(field: FieldInfo, inside: list[Any], several: bool) -> str:
    """What a field is for, what None is called on the command line, within which limits it must be, and its default."""
    words = field.description or ""
    if field.default is None:
        words = re.sub(r"\bNone\b", "the default", re.sub(r"(?<=\. )None\b", "The default", words))
    if several:
        words += "; may be given again"
    default = field.default
    notes = []
    if not field.is_required() and default is not None and default != ():
        shown = default if isinstance(default, tuple) else (default,)
        notes.append("default: " + ", ".join(_shown(value) for value in shown))
    if limits := _limits(inside):
        notes.append(limits)
    return sentence(words) + (f"  [{'; '.join(notes)}]" if notes else "")


def _named(inside: list[Any]) -> str:
    """What one value is called: `int`, `float`, `date` or the like."""
    return next((part.__name__ for part in inside if isinstance(part, type) and part is not NoneType), "str")


def _shown(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _limits(inside: list[Any]) -> str:
    """The range of a number, as `0<=x<1`."""
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    found = {name: getattr(part, name) for part in inside for name in signs if getattr(part, name, None) is not None}
    low = next((name for name in ("ge", "gt") if name in found), None)
    high = next((f"x{signs[name]}{found[name]}" for name in ("le", "lt") if name in found), "")
    if low is None or not high:
        return high if low is None else f"x{signs[low]}{found[low]}"
    return f"{found[low]}{signs[low].replace('>', '<')}{high}"


def _completing(choices: list[str]) -> Callable[[str], list[str]]:
    return lambda incomplete: [choice for choice in choices if choice.startswith(incomplete)]
