"""A model file in the TensorFlow Lite form, run by ai-edge-litert on one thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from sluicegate.errors import DataError, MissingExtra


@runtime_checkable
class PictureModel(Protocol):
    """A model of pictures."""

    @property
    def size(self) -> int:
        """Width and height of the pictures that it takes."""

    def __call__(self, picture: Float32[np.ndarray, "size size 3"]) -> list[np.ndarray]:
        """Its outputs for a picture."""


class LiteModel:
    """A model file.

    Args:
        path: of the file.
        outputs: how many numbers each output that is needed has.
        what: it is called in messages.

    Raises:
        DataError: it is missing, or no such model.
        MissingExtra: ai-edge-litert is not installed.
    """

    def __init__(self, path: Path, outputs: Sequence[int], what: str) -> None:
        if not path.is_file():
            raise DataError(f"{path} is not there or is not a file: give the path of {what}")
        make = _interpreter()
        try:
            self._interpreter = make(model_path=str(path), num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise DataError(
                f"{path} is no model in the TensorFlow Lite form ({' '.join(str(error).split())[:200]}): give {what}"
            ) from error
        given, made = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        sizes = [int(np.prod(one["shape"])) for one in made]
        shape = [int(side) for side in given[0]["shape"]]
        if len(given) != 1 or len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3:
            raise DataError(f"{path} is no pose model, for it does not take square pictures: give {what}")
        if given[0]["dtype"] != np.float32 or not set(outputs) <= set(sizes):
            raise DataError(
                f"{path} is no pose model, for it gives {', '.join(map(str, sizes))} numbers where "
                f"{', '.join(map(str, outputs))} were expected: give {what}"
            )
        self._size, self._input = shape[1], int(given[0]["index"])
        self._outputs = [int(made[sizes.index(count)]["index"]) for count in outputs]

    @property
    def size(self) -> int:
        """Width and height of the pictures that it takes."""
        return self._size

    def __call__(self, picture: Float32[np.ndarray, "size size 3"]) -> list[np.ndarray]:
        """Its outputs for a picture, in the order in which they were asked for."""
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_tensor(index)) for index in self._outputs]


def _interpreter() -> type:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingExtra("ai-edge-litert", "video", "finding skeletons in video") from error
    found: type = Interpreter
    return found
