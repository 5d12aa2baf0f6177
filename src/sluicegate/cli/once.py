"""Options that take one value are given once: the last would win, and nobody would know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand


class _Command(TyperCommand):
    """A command that refuses an option that is given again where it takes a single value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words, which are looked at once before."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        seen = set()
        option: Any
        for option in order:
            many = getattr(option, "multiple", False) or getattr(option, "is_flag", False) or option.nargs != 1
            if option.param_type_name != "option" or many:
                continue
            if option.name in seen:
                raise typer.BadParameter("is given twice, and takes one value: leave one out", ctx=ctx, param=option)
            seen.add(option.name)
        return super().parse_args(ctx, args)


class OnceGiven(typer.Typer):
    """Commands whose options are given once, but for those that may be given again."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Add a command."""
        return super().command(name, cls=_Command, **options)
