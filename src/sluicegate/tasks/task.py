"""What every task is: the same verbs, and a folder that holds it."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args

from torch import nn

from sluicegate import bundle
from sluicegate.data import read_table, require_no_arrays, source_of
from sluicegate.data.scaling import InputScale
from sluicegate.errors import BundleError, ConfigError, NotFittedError
from sluicegate.nn.quantization import from_observed, is_quantized, observe
from sluicegate.streaming.stream import Stream
from sluicegate.training import Curve, Part, Schedule, train
from sluicegate.types import InferencePrecision

from . import registry
from .arguments import DATA, Argument
from .config import TaskConfig, checked
from .precision import Cost, computed, to_bf16
from .report import Measure, Report
from .results import Results
from .trained import TrainedModel

Config = TypeVar("Config", bound=TaskConfig)
Trained = TypeVar("Trained", bound=TrainedModel)


class Task(ABC):
    """A task: `fit`, `evaluate`, `predict` and `save`; `load` brings it back.

    A subclass names itself in `name`, under which saved models say whose they are.
    """

    name: ClassVar[str]
    config_class: ClassVar[type[TaskConfig] | None] = None
    """The class of its settings: each field is an option of `sluicegate fit`."""

    arguments: ClassVar[tuple[Argument, ...]] = (DATA,)
    """What `fit` is told of the data: options of `sluicegate fit` too."""

    rows_at_once: ClassVar[int | None] = None
    """Where a row's prediction needs no other row: how many are predicted together, of a table that is too long."""

    writes: ClassVar[tuple[str, ...]] = ()
    """Endings of files of the task's own that `as_file` writes, beside those of tables."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "name" in cls.__dict__:  # what several tasks share has none
            registry.register(cls.name, cls)

    @abstractmethod
    def fit(self, data: Any, *args: Any, **kwargs: Any) -> Task:
        """Train on data and return the task itself."""

    @abstractmethod
    def evaluate(self, data: Any, *args: Any, **kwargs: Any) -> Report:
        """Measure the model beside simple methods on the same rows of data."""

    @abstractmethod
    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the model to data."""

    def open_stream(self) -> Stream:
        """Open a stream: rows are pushed as they come, and answered at once; see `sluicegate.streaming`.

        Raises:
            ConfigError: rows of this task do not come one after the other.
            NotFittedError: `fit` has not been called.
        """
        raise ConfigError(
            f"a model of the task {self.name} has no stream, for it reads each row for itself: call `predict`; those "
            f"of the tasks {' and '.join(name for name, entry in registry.OURS.items() if entry.streams)} have one"
        )

    @property
    def input_scale(self) -> InputScale | None:
        """What numbers of a row were in training, so that drift from it can be told; None where that is not known."""
        return None

    @classmethod
    def as_written(cls, columns: Mapping[str, Any]) -> list[str]:
        """The columns, of what `fit` is told by the arguments' names, that are read from a file as they are written."""
        given = [columns.get(of.name) or of.usual for of in cls.arguments if of.as_written]
        return [name for names in given for name in ([names] if isinstance(names, str) else names or [])]

    def _roles(self) -> dict[str, Any]:
        """What `fit` was told of the columns that are read as they are written."""
        return {}

    def columns_as_written(self) -> list[str]:
        """The columns that the trained task reads from a file as they are written."""
        return self.as_written(self._roles())

    def open_file(
        self,
        path: Path,
        *,
        groups: str | None = None,
        labelled: bool = False,
        labels: str | None = None,
        arrays: Mapping[str, str] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """A file as `predict` and `evaluate` take it, and what they are given beside it.

        Args:
            path: the file, by default one that holds a table.
            groups: where the groups are, if they are asked for.
            labelled: whether labels are needed that are not simply a column of the table.
            labels: where the labels are, if they are not where training had them.
            arrays: the names of arrays in a file that holds some, by what they are for.
        """
        del labelled
        require_no_arrays(path, arrays or {})
        given = {name: value for name, value in (("groups", groups), ("labels", labels)) if value is not None}
        return read_table(path, self.as_written(self._roles() | given)), {"origin": source_of(path), **given}

    def open_files(self, paths: Sequence[Path], **asked: Any) -> tuple[Any, dict[str, Any]]:
        """Files as `predict` takes them together: most tasks take one.

        Args:
            paths: of the files, one at least.
            asked: as for `open_file`.

        Raises:
            ConfigError: there are several, and the task takes one.
        """
        if len(paths) > 1:
            raise ConfigError(
                f"{len(paths)} files are given, of which {paths[1]} is the second: a model of the task {self.name} "
                "takes one at a time"
            )
        return self.open_file(paths[0], **asked)

    @classmethod
    def open_training_file(cls, path: Path, given: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """A file as `fit` takes it, and what it is given beside it.

        Args:
            path: the file, by default one that holds a table.
            given: what it says of the file, by the names of `arguments`.
        """
        require_no_arrays(path, {of.name: given.get(of.name) for of in cls.arguments if of.kind == "array"})
        columns = {name: value for name, value in given.items() if value is not None}
        return read_table(path, cls.as_written(columns)), {"origin": source_of(path), **columns}

    def as_file(self, predicted: Any, ending: str) -> bytes:
        """What `predict` gave, as a file of the task's own.

        Args:
            predicted: what it gave.
            ending: of the file, one of `writes`.

        Raises:
            ConfigError: the task has no such files.
        """
        del predicted
        raise ConfigError(f"a model of the task {self.name} writes no {ending} files: choose the ending of a table")

    @abstractmethod
    def files(self) -> dict[str, bytes]:
        """The files of the saved model by their names, `config.json` among them.

        Raises:
            NotFittedError: there is nothing to save yet.
        """

    @classmethod
    @abstractmethod
    def _from_bundle(cls, saved: bundle.Bundle) -> Task:
        """The task that `files` gave; `load` takes what Python raises as a sign that the files do not fit."""

    def save(self, folder: str | Path) -> None:
        """Write the model into a folder, whole or not at all; an older model there is replaced.

        Raises:
            NotFittedError: there is nothing to save yet.
            BundleError: the folder cannot be written, or holds something else.
        """
        bundle.write(folder, self.files())


@dataclass(frozen=True)
class Run(Generic[Trained]):
    """A training run that is prepared: the network, what it is trained on, and what is made of it then.

    Args:
        model: the network, with the values that it starts from.
        parts: what is trained, each with its loss on the training rows and on those that validate.
        schedule: how long and how fast.
        fingerprint: names the data and the settings; a checkpoint with another one is not resumed.
        finish: given the learning curve, what was learnt, and the report on the rows that validated.
    """

    model: nn.Module
    parts: Sequence[Part]
    schedule: Schedule
    fingerprint: str
    finish: Callable[[Curve], tuple[Trained, Report]]


class TrainedTask(Task, Generic[Config, Trained]):
    """A task that keeps what it learnt in one value, and what was measured of it beside.

    Args:
        settings: by name; they are listed at the class of the task's settings.

    Raises:
        ConfigError: a setting is unknown or out of its range.
    """

    trained_as: ClassVar[type[TrainedModel]]
    """What training leaves behind, which knows the settings too."""

    measures: ClassVar[tuple[Measure, ...]]

    def __init_subclass__(cls, **arguments: Any) -> None:
        if "trained_as" in cls.__dict__:
            cls.config_class = cls.trained_as.config
        super().__init_subclass__(**arguments)

    def __init__(self, **settings: Any) -> None:
        self.config: Config = checked(self.trained_as.config, type(self).__name__, settings)
        self.report: Report | None = None
        self._trained: Trained | None = None
        self._results = Results()

    @abstractmethod
    def _card(self, trained: Trained) -> str:
        """The model card."""

    def _learn(self, run: Run[Trained], *, checkpoint: str | Path | None, resume: bool, progress: bool | None) -> None:
        """Train, and keep what was learnt and the report on the rows that validated."""
        curve = train(
            run.model,
            run.parts,
            run.schedule,
            seed=self.config.seed,
            fingerprint=run.fingerprint,
            checkpoint=None if checkpoint is None else Path(checkpoint),
            resume=resume,
            progress=progress,
        )
        self._trained, self.report = run.finish(curve)
        self._results = Results(self.report)

    def _evaluated(self, report: Report) -> Report:
        """Keep a report of an evaluation, which is saved with the model."""
        self._results = Results(self.report, report)
        return report

    def quantized(
        self,
        validation: Any,
        *,
        allow_loss: bool = False,
        seeds: Sequence[TrainedTask[Config, Trained]] = (),
        **told: Any,
    ) -> TrainedTask[Config, Trained]:
        """The same model with its recurrent layers in int8, measured beside itself.

        What the layers read is rounded by the ranges that it has on the validation rows.

        Args:
            validation: rows that training did not see, as `evaluate` takes them, and none of a test.
            allow_loss: take a loss beyond 0.1 points, or 0.5 % of an error, all the same.
            seeds: models of the same settings trained with other seeds, to tell how far apart they are.
            told: what else `evaluate` is to be given.

        Returns:
            A task of its own, which predicts, streams and saves in int8; this one is as it was.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: the loss is larger, the model is in int8 already, or its task is computed in floats alone.
        """
        trained = self.trained
        self.require_int8()
        if is_quantized(trained.model):
            raise ConfigError("the model is in int8 already: quantize the one that it was made of")
        watched = self._with(observe(trained.model))
        before = watched.evaluate(validation, **told)
        small = self._with(from_observed(watched.trained.model))
        after = small.evaluate(validation, **told)
        metric, ideal = self.measures[0].name, self.measures[0].ideal
        others = [before.metrics[metric], *(task.evaluate(validation, **told).metrics[metric] for task in seeds)]
        spread = max(others) - min(others) if seeds else None
        cost = Cost(metric=metric, ideal=ideal, fp32=others[0], int8=after.metrics[metric], spread=spread)
        if not allow_loss:
            cost.require_small()
        small._results = Results(self._results.validation, after, cost=cost)
        return small

    def measured_on(self, data: Any, validation: Any) -> dict[str, Any]:  # noqa: ARG002 - others look back on them
        """What `quantized` is to be given, to measure the model on the rows that training validated on.

        Args:
            data: what it was trained on, as `fit` took it.
            validation: the rows to validate on, likewise.
        """
        return {"validation": validation}

    def require_int8(self) -> None:
        """Refuse what int8 is not for.

        Raises:
            ConfigError: models of this task are computed in floats alone.
        """
        if self.name in registry.OURS and not registry.OURS[self.name].int8:
            known = " and ".join(name for name, entry in registry.OURS.items() if entry.int8)
            raise ConfigError(f"a model of the task {self.name} is computed in floats alone: int8 is for {known}")

    def _with(self, model: nn.Module) -> TrainedTask[Config, Trained]:
        made = copy(self)
        made._trained = cast(Trained, self.trained.with_model(model))
        return made

    def save(
        self, folder: str | Path, *, precision: InferencePrecision | None = None, validation: Any = None, **told: Any
    ) -> None:
        """Write the model into a folder, whole or not at all; an older model there is replaced.

        Args:
            folder: a path that is free, an empty folder, or an older model.
            precision: `"int8"` saves what `quantized(validation, **told)` gives; `"fp32"` refuses a model in int8; None
                saves the model as it is.
            validation: with `"int8"`, the rows on which it is measured.
            told: what else `quantized` is to be given.

        Raises:
            NotFittedError: there is nothing to save yet.
            ConfigError: the precision is none of these, or `quantized` refuses.
            BundleError: the folder cannot be written, or holds something else.
        """
        if precision == "int8" and not is_quantized(self.trained.model):
            if validation is None:
                raise ConfigError("`validation` is missing: in int8 a model is measured on rows before it is saved")
            self.quantized(validation, **told).save(folder)
            return
        if precision not in (None, "fp32", "int8"):
            raise ConfigError(f'`precision` (={precision!r}) must be "fp32" or "int8", or None as the model is')
        if precision == "fp32" and is_quantized(self.trained.model):
            raise ConfigError("the model is in int8, and its floats are gone: save the one that it was made of")
        super().save(folder)

    def to_precision(self, precision: InferencePrecision) -> TrainedTask[Config, Trained]:
        """The same model with its recurrent layers in a precision, without a measurement.

        Args:
            precision: `"fp32"` is as training left it; `"bf16"` rounds what the layers multiply to bfloat16; `"int8"`
                has their recurrent weights in int8, and of what they read only what is the state of a layer below,
                since the ranges of the rest are not known: `quantized` measures those.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: it is none of these, or the model is in int8 and its floats are gone.
        """
        if precision not in get_args(InferencePrecision):
            raise ConfigError(f'`precision` (={precision!r}) must be "fp32", "bf16" or "int8"')
        model = self.trained.model
        if is_quantized(model):
            if precision == "int8":
                return self
            raise ConfigError(
                f'`precision` (="{precision}") cannot be had of a model that was saved in int8, whose floats are gone: '
                "load the one that it was made of"
            )
        if precision == "fp32":
            return self
        if precision == "int8":
            self.require_int8()
            return self._with(from_observed(observe(model)))
        made = self._with(deepcopy(model))
        to_bf16(made.trained.model)
        return made

    def __repr__(self) -> str:
        fields = type(self.config).model_fields
        settings = ", ".join(f"{name}={value!r}" for name, value in self.config if value != fields[name].default)
        state = "not trained"
        if self._trained is not None:
            state = f"trained, {sum(weight.numel() for weight in self._trained.model.parameters()):,} weights"
        return f"<{type(self).__name__}({settings}): {state}>"

    @property
    def trained(self) -> Trained:
        """What training left behind.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        if self._trained is None:
            raise NotFittedError(
                f"the {type(self).__name__} has not been trained: call `fit` first, or `sluicegate.load` a model"
            )
        return self._trained

    @property
    def fingerprint(self) -> str:
        """The sha256 of all that answers hang on, to which the snapshots of streams are bound.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        files = self.trained.files(self.name, self.config)
        config = json.loads(files.pop(bundle.CONFIG))
        for name in ("curve", "sluicegate"):  # a later version goes on from a snapshot
            del config[name]
        config |= computed(self.trained.model)
        digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
        for name, content in sorted(files.items()):
            digest.update(f"{name} {len(content)} ".encode() + content)
        return digest.hexdigest()

    def files(self) -> dict[str, bytes]:
        """The files of the saved model by their names, those for people among them.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        trained = self.trained
        return trained.files(self.name, self.config) | self._results.files(self._card(trained))

    @classmethod
    def _from_bundle(cls, saved: bundle.Bundle) -> Task:
        trained, config = cls.trained_as.from_bundle(saved)
        task = cls(**config.model_dump())
        task._trained = cast(Trained, trained)
        task._results = Results.from_bundle(saved, cls.measures)
        task.report = task._results.validation
        return task


def load(folder: str | Path, *, precision: InferencePrecision | None = None) -> Task:
    """Load a model that `save` wrote.

    Args:
        folder: where it is.
        precision: in which its recurrent layers are computed, as `TrainedTask.to_precision` says; None is as it was
            saved.

    Raises:
        BundleError: the folder is not there, was cut short or altered, or was written by a newer version.
        ConfigError: the precision cannot be had of this model.
    """
    task = restore(bundle.read(folder))
    if precision is None:
        return task
    if not isinstance(task, TrainedTask):
        raise ConfigError(f"a model of the task {task.name} has no precision to choose: load it without")
    return task.to_precision(precision)


def restore(saved: bundle.Bundle) -> Task:
    """The task of a saved model that is in memory.

    Raises:
        BundleError: its files are not what they must be.
    """
    config = saved.json(bundle.CONFIG)
    task = config.get("task") if isinstance(config, dict) else None
    if not isinstance(task, str) or task not in registry.known():
        raise BundleError(
            f"{saved.folder} holds a model for the task {task!r}, which this version does not know "
            f"(it knows {', '.join(sorted(registry.known()))}): install a newer sluicegate, or import the module "
            "that has the task before"
        )
    try:
        found: Task = registry.task_class(task)._from_bundle(saved)
        return found
    except BundleError:
        raise
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError, ArithmeticError) as error:
        raise BundleError(
            f"the model '{saved.folder}' does not hold together ({error}): save it again, or take another copy"
        ) from error
