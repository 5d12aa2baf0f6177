"""`sluicegate fit TASK`: a command for each task that is known, with options made of what the task declares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sluicegate.tasks import registry

from ..declared import of_argument, of_config
from ..failures import failing_plainly
from ..lazy import LazyGroup, command
from ..options import Debug, Json, given_only, in_output, in_training


class _Tasks(LazyGroup):
    """The tasks that are known when the command line runs, those of others that were imported among them."""

    def names(self) -> list[str]:
        return registry.known()

    def build(self, name: str) -> Any:
        config, arguments = registry.declared(name)

        def fit(
            out: Annotated[Path, in_output(help="The folder to save the model to.", metavar="MODEL")],
            precision: Annotated[
                str | None,
                in_output(
                    help="What the model is saved in; int8 is measured on the rows of --validation first.",
                    metavar="<fp32|int8>",
                ),
            ] = None,
            allow_loss: Annotated[
                bool, in_output("--allow-loss", help="Save in int8 whatever it costs the model.")
            ] = False,
            resume: Annotated[bool, in_training("--resume", help="Go on from an interrupted run.")] = False,
            threads: Annotated[int | None, in_training(min=1, help="Threads to compute with.")] = None,
            json: Json = False,
            debug: Debug = False,
            **given: Any,
        ) -> None:
            with failing_plainly(debug):
                from ..training import fit_files

                told = {of.name: given.pop(of.name) for of in arguments}
                task = registry.task_class(name)(**given_only(**given))
                saved_as = given_only(precision=precision, allow_loss=allow_loss or None)
                fit_files(task, told, out, saved_as=saved_as, threads=threads, resume=resume, json=json)

        return command(name, fit, registry.about(name), [*map(of_argument, arguments), *of_config(config)])


def build() -> Any:
    """The group of all tasks."""
    return _Tasks(name="fit", help="Train a model for a task and save it.", no_args_is_help=True, rich_markup_mode=None)
