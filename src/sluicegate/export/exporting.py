"""From a saved model to files for other machines, in one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sluicegate.errors import ConfigError

from .c import write_c
from .network import Network, of_folder
from .of_keras import FILES, of_keras_file
from .onnx import write_onnx
from .quantizing import in_int8
from .wasm import write_wasm

TARGETS = ("onnx", "c", "wasm")
"""What a model can be written as."""

PRECISIONS = ("fp32", "int8")


def export(
    model: str | Path | Network,
    to: str,
    folder: str | Path,
    *,
    name: str = "model",
    precision: str = "fp32",
    series: Any = None,
) -> dict[str, Any]:
    """Write a model down for machines without this package.

    Args:
        model: the folder of a saved model, a `.keras` or `.h5` file of Keras', or what `of_layers` makes of a layer, or
            `of_keras` of a model of Keras'.
        to: `c`, plain C; `wasm`, WebAssembly and a page that runs it; `onnx`, a file for ONNX Runtime.
        folder: where the files go.
        name: what they begin with, and in C all names in them.
        precision: of the weights of the recurrent layers: `fp32` or `int8`.
        series: of a forecaster of several series, what names the one that is exported, each of which has a scale of
            its own.

    Returns:
        `files`, the paths of what was written, and figures of it by name.

    Raises:
        ConfigError: the model cannot be exported, or an argument is none of these.
        BundleError: the folder holds no model that is whole.
        DataError: the file holds no model of Keras'.
        MissingExtra: what writes such files is not installed.
    """
    for argument, value, allowed in (("to", to, TARGETS), ("precision", precision, PRECISIONS)):
        if value not in allowed:
            raise ConfigError(f"`{argument}` (={value!r}) must be one of {', '.join(allowed)}")
    network = model if isinstance(model, Network) else _saved(Path(model), series)
    if precision == "int8":
        network = in_int8(network)
    write: dict[str, Callable[..., dict[str, Any]]] = {"c": _c, "wasm": _wasm, "onnx": _onnx}
    return write[to](network, folder, name)


def _saved(path: Path, series: Any) -> Network:
    return of_keras_file(path) if path.suffix in FILES else of_folder(path, series=series)


def _c(network: Network, folder: str | Path, name: str) -> dict[str, Any]:
    written = write_c(network, folder, name=name)
    return {**written._asdict(), "files": list(written.files)}


def _wasm(network: Network, folder: str | Path, name: str) -> dict[str, Any]:
    written = write_wasm(network, folder, name=name)
    return {"files": [written.page, written.module], "page_bytes": written.page_bytes}


def _onnx(network: Network, folder: str | Path, name: str) -> dict[str, Any]:
    return {"files": [write_onnx(network, folder, name=name)]}
