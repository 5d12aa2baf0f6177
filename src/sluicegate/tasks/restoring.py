"""The parts of a saved model, each held to what it must be before anything is made of it.

A folder whose checksums are right may hold anything: whoever alters a file can rewrite the manifest. So each JSON
file has a schema, each number its range, and each array the shape and the type that the settings ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import nn
from torch.overrides import TorchFunctionMode

from sluicegate import bundle
from sluicegate.errors import BundleError
from sluicegate.nn.quantization import as_saved
from sluicegate.ops.quantized import VERSION

INT8 = "int8"
"""Under which `config.json` says that a model is in int8, and `metrics.json` what that cost."""


class Saved(BaseModel):
    """What a JSON file must hold at least; what else it holds is left alone."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


Count = Annotated[int, Field(ge=0, lt=2**53)]
Size = Annotated[int, Field(ge=1, le=2**24)]
Few = Annotated[int, Field(ge=1, le=64)]
"""Of layers, or of networks."""
Factor = Annotated[float, Field(ge=0, le=1e6)]
Share = Annotated[float, Field(ge=0, lt=1)]
Text = Annotated[str, Field(max_length=2**20)]
Label = bool | int | str

Model = TypeVar("Model", bound=Saved)
Module = TypeVar("Module", bound=nn.Module)


class CurveSchema(Saved):
    """The learning curve."""

    steps: list[Count]
    training: list[float]
    validation: list[float]


def read_json(saved: bundle.Bundle, name: str, model: type[Model]) -> Model:
    """A JSON file that holds what its schema asks for.

    Raises:
        BundleError: it does not; the message says where.
    """
    try:
        return model.model_validate_json(saved.raw(name))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise damaged(saved, name, f"{where or 'it'}: {fault['msg']}") from None


def damaged(saved: bundle.Bundle, name: str, why: str) -> BundleError:
    """What to raise where a file does not hold what it must."""
    return BundleError(
        f"{name} of the model '{saved.folder}' does not hold together ({why}): save it again, or take another copy"
    )


class _ShapesAlone(TorchFunctionMode):
    """Leaves out what gives tensors their first values.

    On the device that holds none, PyTorch computes such steps by its Python references, and loads its compiler for
    them, 2 s of 2.3 that a forecast took beyond PyTorch itself.
    """

    _VALUES = frozenset({"normal_", "uniform_", "kaiming_uniform_", "mul", "mul_", "__mul__", "__rmul__"})

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call a function of PyTorch's, or give its tensor back as it is."""
        del types
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in self._VALUES:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


# Whole numbers of 64 bits count the batches that a normalisation saw; those of 8 bits are weights.
_TYPES: dict[torch.dtype, type[np.generic]] = {
    torch.float32: np.float32, torch.int64: np.int64, torch.int8: np.int8,
}  # fmt: skip


def restored(saved: bundle.Bundle, name: str, build: Callable[[], Module]) -> Module:
    """A network that `build` makes, with the weights of a file; without memory first, to know what that must hold.

    Raises:
        BundleError: the weights are not those of such a network, or not finite.
    """
    found = saved.tensors(name)
    own = found.keys() if is_saved_in_int8(saved) else ()
    with torch.device("meta"), _ShapesAlone():
        expected = as_saved(build(), own).state_dict()
    if found.keys() != expected.keys():
        odd = sorted(found.keys() ^ expected.keys())[0]
        raise damaged(saved, name, f"{odd!r} is {'missing' if odd in expected else 'no weight of such a network'}")
    for weight, tensor in expected.items():
        require(saved, name, found, weight, tuple(tensor.shape), _TYPES[tensor.dtype])
    model = as_saved(build(), own)
    model.load_state_dict({weight: torch.from_numpy(array) for weight, array in found.items()})
    return model.eval()


def is_saved_in_int8(saved: bundle.Bundle) -> bool:
    """Whether a saved model says that it is in int8.

    Raises:
        BundleError: it was quantised for another version.
    """
    config = saved.json(bundle.CONFIG)
    held = config.get(INT8) if isinstance(config, dict) else None
    if held is None:
        return False
    version = held.get("version") if isinstance(held, dict) else None
    if version != VERSION or isinstance(version, bool):
        raise BundleError(
            f"config.json of the model '{saved.folder}' says that it was quantized for version {version!r} of int8, "
            f"and this release computes version {VERSION}: save it in int8 again with this release"
        )
    return True


def require(
    saved: bundle.Bundle,
    name: str,
    arrays: Mapping[str, np.ndarray],
    array: str,
    shape: tuple[int | None, ...],
    kind: type[np.generic] | tuple[type[np.generic], ...] = np.float64,
    *,
    least: float = -3e38,
    most: float = 3e38,
) -> None:
    """Hold an array to its shape, where None stands for any size, to its type and to its range.

    Raises:
        BundleError: it is missing or something else, or not finite.
    """
    if array not in arrays:
        raise damaged(saved, name, f"{array} is missing")
    found = arrays[array]
    if len(found.shape) != len(shape) or any(b not in (None, a) for a, b in zip(found.shape, shape, strict=True)):
        sizes = " by ".join("any" if size is None else str(size) for size in shape)
        raise damaged(saved, name, f"{array} is of shape {found.shape}, where config.json asks for {sizes}")
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if found.dtype not in kinds:
        raise damaged(saved, name, f"{array} is of type {found.dtype}, which should be {np.dtype(kinds[0])}")
    if found.size and not ((found >= least) & (found <= most)).all():
        raise damaged(saved, name, f"{array} holds numbers that are none or out of range")
