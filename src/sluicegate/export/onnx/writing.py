"""From a network to an ONNX file."""

from __future__ import annotations

import json
from pathlib import Path

from sluicegate.export.network import Network

from .forecast import write_forecast
from .frames import write_frames
from .graph import Graph
from .plain import write_plain


def write_onnx(network: Network, folder: str | Path, *, name: str = "model") -> Path:
    """Write a network into `NAME.onnx`, to be fed in chunks.

    The inputs are `x`, `[batch time input]`, and the states, whose names end in `_in`; the outputs are `y`,
    `[batch time output]`, and the states after the chunk, whose names end in `_out`. States begin as zeros. Of a
    classifier of recordings the steps of a chunk are a multiple of the stride, which the file's properties tell. Of a
    forecaster `y` is what follows the last row of the chunk, `[batch target horizon part]`, the parts being the mean
    and the quantiles; `ahead`, `[batch column horizon]`, holds what is known of those rows in advance; and `later_in`
    says how many rows later than the one after training the first row was, from 0 up or down.

    Args:
        network: such as `sluicegate.export.of_folder` and `of_layers` make them.
        folder: where the file goes; one of the same name is replaced.
        name: of the file.

    Returns:
        Its path.

    Raises:
        MissingExtra: the package `onnx` is not installed.
    """
    graph = Graph()
    write = write_plain if network.shape is None else write_frames
    (write if network.forecast is None else write_forecast)(graph, network)
    about = {
        "inputs": json.dumps(network.inputs),
        "outputs": json.dumps(network.outputs),
        "fingerprint": network.fingerprint,
        "stride": str(1 if network.shape is None else network.shape.stride),
    }
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{name}.onnx"
    path.write_bytes(graph.model(about))
    return path
