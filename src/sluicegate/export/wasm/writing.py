"""From a network to a module of WebAssembly and a page."""

from __future__ import annotations

import base64
import json
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sluicegate.export.c import write_c
from sluicegate.export.network import Network

from .building import build, glue

_STRING = """\
#include <stddef.h>
void *memset(void *to, int value, size_t count);
void *memcpy(void *to, const void *from, size_t count);
"""


class Written(NamedTuple):
    """What was written.

    Args:
        page: one file of HTML with the module in it, which needs no network.
        module: the module alone.
        page_bytes: of the page without the module.
    """

    page: Path
    module: Path
    page_bytes: int


def write_wasm(network: Network, folder: str | Path, *, name: str = "model") -> Written:
    """Compile a network to `NAME.wasm`, and write `NAME.html`, which runs it in a browser.

    Args:
        network: such as `sluicegate.export.of_folder` and `of_layers` make them.
        folder: where the files go; those of the same names are replaced.
        name: what the files begin with.

    Returns:
        What was written.

    Raises:
        MissingExtra: there is no compiler for WebAssembly.
        ConfigError: `name` is none of C.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    module = place / f"{name}.wasm"
    with TemporaryDirectory() as work:
        source, *_ = (path for path in write_c(network, work, name=name).files if path.suffix == ".c")
        between, headers = Path(work, "page.c"), Path(work, "headers")
        between.write_text(glue(name), encoding="utf-8")
        headers.mkdir()
        (headers / "string.h").write_text(_STRING, encoding="utf-8")
        build([source, between], headers, module)
    about = {
        "name": name,
        "inputs": network.inputs,
        "outputs": network.outputs,
        "classes": network.prior is not None,
        "fingerprint": network.fingerprint,
    }
    text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    # What closes a script cannot stand in one.
    text = text.replace("{{about}}", json.dumps(about).replace("<", "\\u003c"))
    page = place / f"{name}.html"
    page.write_text(text.replace("{{module}}", base64.b64encode(module.read_bytes()).decode()), encoding="utf-8")
    return Written(page, module, len(text.encode()))
