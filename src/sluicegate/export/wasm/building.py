"""From C to WebAssembly, by the compiler that comes with the package `ziglang`, or by clang and lld."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from sluicegate.errors import ConfigError, MissingExtra

_EXPORTS = ("page_state", "page_state_bytes", "page_input", "page_output", "page_reset", "page_step")
_FLAGS = ("-std=c99", "-O3", "-msimd128", "-ffp-contract=off", "-nostdlib", "-ffreestanding")


def glue(name: str) -> str:
    """The C between the page and the model: one state, and where its numbers are."""
    return f"""\
#include <stddef.h>

#include "{name}.h"

static struct {name}_state state;
static float input[{name.upper()}_INPUTS];
static float output[{name.upper()}_OUTPUTS];

void *page_state(void) {{ return &state; }}
int page_state_bytes(void) {{ return {name.upper()}_STATE_BYTES; }}
float *page_input(void) {{ return input; }}
float *page_output(void) {{ return output; }}
void page_reset(void) {{ {name}_reset(&state); }}
void page_step(void) {{ {name}_step(&state, input, output); }}

/* What the compiler calls by itself. */
void *memset(void *to, int value, size_t count) {{
  unsigned char *at = to;
  while (count--) *at++ = (unsigned char)value;
  return to;
}}
void *memcpy(void *to, const void *from, size_t count) {{
  unsigned char *at = to;
  const unsigned char *of = from;
  while (count--) *at++ = *of++;
  return to;
}}
"""


def build(sources: Sequence[Path], include: Path, to: Path) -> None:
    """Compile and link C into a module without imports.

    Args:
        sources: the files.
        include: where `string.h` is, of which the browser has none.
        to: the module.

    Raises:
        MissingExtra: there is neither `ziglang` nor a clang that links WebAssembly.
        ConfigError: the compiler refused them.
    """
    linked = [f"-Wl,--export={name}" for name in _EXPORTS]
    given = ["-I", str(include), *map(str, sources), "-Wl,--no-entry", "-Wl,--strip-all", *linked, "-o", str(to)]
    done = subprocess.run([*_compiler(), *_FLAGS, "-fno-builtin", *given], capture_output=True, text=True, check=False)  # noqa: S603 - a compiler of this machine's, and files that were written here
    if done.returncode:
        said = " ".join(done.stderr.split())[:300]
        raise ConfigError(f"the compiler made no WebAssembly ({said}): install the package `ziglang` anew")


def _compiler() -> list[str]:
    if find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-freestanding"]
    clang, linker = shutil.which("clang"), shutil.which("wasm-ld")
    if clang is None or linker is None:
        raise MissingExtra("ziglang", "wasm", "compiling WebAssembly")
    return [clang, "--target=wasm32"]
