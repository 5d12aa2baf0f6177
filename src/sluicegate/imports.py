"""Something to be done when a program imports a module, and not before.

While a module for which somebody waits is imported, Python looks for garbage less often: of importing Keras with
PyTorch it took a fifth of the processor time to look through what is made then, which stays.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_ALLOCATIONS = 10_000  # between two looks, where Python has 700


def when_imported(name: str, call: Callable[[], None]) -> Callable[[], None]:
    """Call a function as soon as a module has been imported: at once if it is there already.

    Args:
        name: Of a module that belongs to no package.
        call: What to call, once.

    Returns:
        A function that gives up waiting.
    """
    if name in sys.modules:
        call()
        return lambda: None
    finder = _After(name, call)
    sys.meta_path.insert(0, finder)
    return finder.give_up


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        if gc.get_threshold()[0] == _ALLOCATIONS:  # else the module has said what it wants
            gc.set_threshold(*before)


class _After(MetaPathFinder):
    """Calls a function when a module has been imported."""

    def __init__(self, name: str, call: Callable[[], None]) -> None:
        self._name, self._call = name, call
        self._waiting = True

    def give_up(self) -> None:
        """Call nothing any more."""
        self._waiting = False
        if sys.meta_path and self in sys.meta_path:  # at the end of the interpreter there is none
            sys.meta_path.remove(self)

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        others = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
        spec = next((found for finder in others if (found := finder.find_spec(fullname, path, target))), None)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:  # to find is not yet to import: many look only whether it is there
            with _collecting_rarely():
                execute(module)
            if self._waiting:
                self.give_up()
                self._call()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
