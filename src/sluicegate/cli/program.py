"""A program of the user's, run unchanged, with its GRU, LSTM and RNN layers computed by Sluicegate.

    python -m sluicegate program.py [its arguments]
    python -m sluicegate -m package.module [its arguments]

The program finds what it finds under plain `python`: its arguments in `sys.argv`, its folder at the head of
`sys.path`, itself as `__main__`; it ends as it does there, with its own exit status or its own traceback. At the very
end a line on standard error tells which layers were swapped, and which were left and why; and that threads are left to
sleep where they wait, unless the user has said how they are to (`waiting.py`).

The first word decides, before anything is parsed: `-m`, a name that ends in `.py`, or a file that is there is a
program; everything else, and every command's name, is for the command line.
"""

from __future__ import annotations

import atexit
import builtins
import importlib.util
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from .app import COMMANDS
from .app import main as run_command
from .failures import note
from .waiting import let_threads_sleep

if TYPE_CHECKING:
    from sluicegate.nn.patch import Summary

MISUSE = 2

_never_closed: list[object] = []  # a block that nobody holds ends


def main() -> None:
    """Run a program, or the command line: see the top of this file for which."""
    words = sys.argv[1:]
    waiting = let_threads_sleep()
    if is_program(words):
        run(words, waiting)
    else:
        run_command()


def is_program(words: Sequence[str]) -> bool:
    """Tell whether the words after `python -m sluicegate` name a program to run."""
    if not words:
        return False
    first = words[0]
    return first == "-m" or first.endswith(".py") or (Path(first).is_file() and first not in COMMANDS)


def run(words: Sequence[str], waiting: str | None = None) -> None:
    """Run a program as `__main__` until it ends, with what it raises.

    Args:
        words: Its name and its arguments.
        waiting: What was set of the threads that wait, to be told with the layers.
    """
    summaries = _from_torch_on()
    module, place = (words[1:], Path.cwd()) if words[0] == "-m" else (None, Path(words[0]).resolve().parent)
    if not sys.flags.safe_path:
        sys.path[0] = str(place)
    code, names = _script(words[0]) if module is None else _module(module)
    sys.argv = [*words] if module is None else [names["__file__"], *module[1:]]
    program = ModuleType("__main__")
    vars(program).update(names, __builtins__=builtins)
    sys.modules["__main__"] = program
    atexit.register(
        _tell, summaries, waiting, os.getpid()
    )  # called after the program's own, its threads and its traceback
    try:
        exec(code, vars(program))  # noqa: S102 - to run the user's program is what it is for
    except BaseException:
        _leave_ourselves_out(code)
        raise


def _script(path: str) -> tuple[CodeType, dict[str, Any]]:
    """The code of a script, and the names that its `__main__` begins with."""
    name = os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118 - Python keeps "./" and ".."
    try:
        with io.open_code(name) as file:
            text = file.read()
    except OSError as error:
        _refuse(f"can't open file {name!r}: {error.strerror}", MISUSE)
    try:
        code = compile(text, name, "exec", dont_inherit=True)
    except SyntaxError:
        _leave_ourselves_out(None)
        raise
    loader = SourceFileLoader("__main__", name)
    return code, {"__file__": name, "__cached__": None, "__spec__": None, "__package__": None, "__loader__": loader}


def _module(words: Sequence[str]) -> tuple[CodeType, dict[str, Any]]:
    """The same for `-m`; a package is run by its `__main__`, as Python does."""
    if not words:
        _refuse("-m needs the name of a module", MISUSE)
    name = words[0]
    spec = _find(name)
    if spec.submodule_search_locations is not None:
        name += ".__main__"
        spec = _find(name)
    code = spec.loader.get_code(name) if isinstance(spec.loader, InspectLoader) else None
    if code is None:
        _refuse(f"{name} is no module of Python code", 1)
    names = {"__file__": spec.origin, "__cached__": spec.cached, "__spec__": spec, "__package__": spec.parent}
    return code, {**names, "__loader__": spec.loader}


def _find(name: str) -> ModuleSpec:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the package is there, and misses something else
        spec = None
    return spec or _refuse(f"No module named {name}", 1)


def _refuse(words: str, status: int) -> NoReturn:
    note(f"sluicegate: {words}")
    sys.exit(status)


def _from_torch_on() -> list[Summary]:
    """Swap layers as soon as torch is there.

    The program imports torch, or does not: settings that must come before, such as OMP_NUM_THREADS, have their effect.

    Returns:
        A place for the summary, which is empty until then.
    """
    summaries: list[Summary] = []

    def begin() -> None:
        from sluicegate.nn.patch import accelerated

        block = accelerated(log=False)
        summaries.append(block.__enter__())
        _never_closed.append(block)

    if "torch" in sys.modules:
        begin()
    else:
        sys.meta_path.insert(0, _After("torch", begin))
    return summaries


class _After(MetaPathFinder):
    """Calls a function when a module has been imported."""

    def __init__(self, name: str, call: Callable[[], None]) -> None:
        self._name, self._call = name, call

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        others = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
        spec = next((found for finder in others if (found := finder.find_spec(fullname, path, target))), None)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:  # to find is not yet to import: many look only whether it is there
            execute(module)
            sys.meta_path.remove(self)
            self._call()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _leave_ourselves_out(code: CodeType | None) -> None:
    """Show the traceback from the program's own first line on, by whatever shows tracebacks; none without code."""
    show = sys.excepthook

    def show_shorter(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        while traceback is not None and traceback.tb_frame.f_code is not code:
            traceback = traceback.tb_next
        show(kind, error.with_traceback(traceback), traceback)

    sys.excepthook = show_shorter


def _tell(summaries: Sequence[Summary], waiting: str | None, process: int) -> None:
    if os.getpid() != process:
        return  # a fork of the program
    with suppress(AttributeError, OSError, ValueError):  # either stream may be closed by now, or away
        sys.stdout.flush()
    with suppress(AttributeError, OSError, ValueError):
        told = f"; {waiting} was set, for threads that sleep where they wait" if waiting and summaries else ""
        note(f"sluicegate: {summaries[0] if summaries else 'the program did not use torch'}{told}")
