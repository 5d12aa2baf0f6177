"""Models of Keras' as ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import torch
from torch import Tensor

from sluicegate.errors import ConfigError, MissingExtra

from .swap import accelerate, restore


def export_onnx(model: Any, path: str | Path) -> None:
    """Write a model of Keras' as an ONNX file, in which each recurrent layer is one node, `GRU`, `LSTM` or `RNN`.

    Keras must run on its torch backend. The file takes batches of any number of rows, and of any number of steps where
    the model does; inputs have the names of the model's. What ours cannot compute becomes plain arithmetic, for as many
    steps as the model says.

    Args:
        model: A built model, with inputs of known features.
        path: Of the file.

    Raises:
        ConfigError: Keras runs on another backend, or the model is not built.
        MissingExtra: The packages that write such files are not installed.
    """
    if keras.backend.backend() != "torch":
        raise ConfigError(
            f"a model of Keras' on {keras.backend.backend()} cannot be written as ONNX: save it, and export it "
            'in a process with the environment variable KERAS_BACKEND="torch"'
        )
    if not model.built or not getattr(model, "inputs", None):
        raise ConfigError(f"`model` ({model.name}) has no inputs of known shape yet: give it a `keras.Input`")
    try:
        import onnxscript  # noqa: F401 - what PyTorch writes such files with
    except ImportError as error:
        raise MissingExtra("onnxscript", "onnx", "to write ONNX") from error
    ours = {layer for layer in model._flatten_layers() if type(layer).__module__.startswith("sluicegate.")}
    accelerate(model)
    try:
        _export(model, Path(path))
    finally:
        if not ours:
            restore(model)


def _export(model: Any, path: Path) -> None:
    examples, sizes = [], []
    for place in model.inputs:
        dynamic = {axis: torch.export.Dim.DYNAMIC for axis, size in enumerate(place.shape) if size is None}
        # Each size another, and none 1: PyTorch takes what is equal by chance to be so for ever.
        shape = [3 + axis if size is None else size for axis, size in enumerate(place.shape)]
        dtype = getattr(torch, place.dtype)
        examples.append(torch.zeros(shape, dtype=dtype))
        sizes.append(dynamic)
    torch.onnx.export(
        _Called(model).eval(),
        tuple(examples),
        path,
        dynamo=True,
        dynamic_shapes=(tuple(sizes),),
        input_names=[place.name for place in model.inputs],
        output_names=[place.name for place in model.outputs] if _names_are_apart(model) else None,
        verbose=False,
    )


class _Called(torch.nn.Module):
    """A model that is called with its inputs one by one, as PyTorch's exporter does."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> Any:
        """What the model puts out."""
        return self.model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)


def _names_are_apart(model: Any) -> bool:
    names = [place.name for place in (*model.inputs, *model.outputs)]
    return len(set(names)) == len(names)
