"""Models that Keras has saved, read without TensorFlow and without running any code that is in them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras

from sluicegate.errors import DataError

from .swap import accelerate


def load(path: str | Path) -> Any:
    """Read a model that Keras has saved, and swap its recurrent layers for ours.

    It is read by Keras on the backend that Keras has. What is in the file is described before anything is made of it:
    a layer with code in it, or of a class that is not Keras' own, is refused.

    Args:
        path: A `.keras` file of Keras 3, or an `.h5` file of Keras 2 or 3.

    Returns:
        The model, not compiled.

    Raises:
        DataError: There is no such file, it is cut short or no model of Keras', or there is code in it.

    Example:
        >>> import keras, sluicegate.keras, tempfile
        >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(5)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.keras")
        ...     read = sluicegate.keras.load(f"{folder}/model.keras")
        >>> type(read.layers[0]) is sluicegate.keras.GRU
        True
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file {str(path)!r}: pass one that Keras has saved, `.keras` or `.h5`")
    try:
        config = _config_of(path)
        _refuse_code(path, config)
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except DataError:
        raise
    except Exception as error:  # whatever is wrong in a file, Keras says it in a class of its own for each
        raise DataError(
            f"{str(path)!r} cannot be read as a model of Keras', it is cut short, damaged or of another kind "
            f"({_first_line(error)}): save it again by `model.save`"
        ) from error
    return accelerate(model)


def _config_of(path: Path) -> Any:
    """The description of the model: of what classes its layers are."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as file:
            return json.loads(file.read("config.json"))
    with h5py.File(path, "r") as file:
        if "model_config" not in file.attrs:
            raise DataError(
                f"{str(path)!r} holds weights and no model: make the model, and let it read them by `load_weights`"
            )
        return json.loads(file.attrs["model_config"])


def _refuse_code(path: Path, config: Any) -> None:
    for part in _parts(config):
        name, module = part.get("class_name"), part.get("module")
        if name in ("Lambda", "__lambda__"):
            raise DataError(
                f"{str(path)!r} has code in it, a {name.strip('_').capitalize()} layer or function, which is not run: "
                "make a layer of Keras' of it, and save the model again"
            )
        if isinstance(module, str) and module.split(".")[0] not in ("keras", "builtins"):
            raise DataError(
                f"{str(path)!r} has a part of a class that is not Keras' own ({module}.{name}), whose code is not run: "
                "read it by `keras.saving.load_model`, if you know who wrote it, and pass it to `sluicegate.accelerate`"
            )


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Every part of a description that names a class."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for value in config.values():
            yield from _parts(value)
    elif isinstance(config, list):
        for value in config:
            yield from _parts(value)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
