"""`sluicegate info`: versions, threads, the processor, the kernels in use and extras."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

import typer

from ..failures import failing_plainly
from ..options import Debug, Json


def info(json: Json = False, debug: Debug = False) -> None:
    """Tell what is installed, and what the processor can do."""
    with failing_plainly(debug):
        from ..output import print_json

        if json:
            print_json(facts())
        else:
            show_facts(facts())


def facts() -> dict[str, Any]:
    """Everything, as JSON takes it."""
    import torch

    from sluicegate._core import cpu_info
    from sluicegate.ops.native import isa

    cpu = cpu_info()
    return {
        "sluicegate": version("sluicegate"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "cpu": {
            "brand": cpu.brand,
            "architecture": cpu.architecture,
            "best_isa": cpu.best_isa,
            "features": list(cpu.features),
        },
        "kernels": isa(),
        "extras": {name: _missing(packages) for name, packages in sorted(_extras().items())},
    }


def show_facts(found: dict[str, Any]) -> None:
    """Print it for a person."""
    cpu = found["cpu"]
    lines = {
        "sluicegate": found["sluicegate"],
        "Python": found["python"],
        "torch": f"{found['torch']}, {found['threads']} threads",
        "processor": f"{cpu['brand'] or 'unknown'} ({cpu['architecture']}, {cpu['best_isa']})",
        "features": " ".join(cpu["features"]),
        "kernels": f"{found['kernels']}{' (SLUICEGATE_ISA)' if os.environ.get('SLUICEGATE_ISA') else ''}",
    }
    for name, missing in found["extras"].items():
        state = f"lacks {', '.join(missing)}: pip install 'sluicegate[{name}]'" if missing else "installed"
        lines[f"extra {name}"] = state
    width = max(map(len, lines))
    for name, value in lines.items():
        typer.echo(f"{name:<{width}}  {value}")


def _extras() -> dict[str, list[str]]:
    """The packages of each extra."""
    extras: dict[str, list[str]] = {}
    for requirement in requires("sluicegate") or ():
        package, _, marker = requirement.partition(";")
        match = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        name = re.match(r"[A-Za-z0-9._-]+", package)
        if match and name:
            extras.setdefault(match[1], []).append(name[0])
    return extras


def _missing(packages: list[str]) -> list[str]:
    return [package for package in packages if not _installed(package)]


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
