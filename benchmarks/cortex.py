"""What exported C costs a Cortex-M4: its size and its stack by the compiler, its instructions by an emulator."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
from unicorn import UC_ARCH_ARM, UC_HOOK_CODE, UC_MODE_MCLASS, UC_MODE_THUMB, Uc
from unicorn import arm_const as arm

FLAGS = ["-std=c99", "-ffp-contract=off", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
_CODE, _RAM, _SYSTEM, _END = 0x10000, 0x20000000, 0xE000E000, 0x8F000
_STATE, _INPUT, _OUTPUT, _STACK = _RAM, _RAM + 0x8000, _RAM + 0x10000, _RAM + 0x30000


class Cost(NamedTuple):
    """Of a step.

    Args:
        flash: bytes of code and constants.
        stack: bytes that the step takes at most.
        instructions: that it takes.
    """

    flash: int
    stack: int
    instructions: int


def cost(folder: Path, name: str, optimised: str = "-O2") -> Cost:
    """Compile `NAME.c` for a Cortex-M4 and run a step of it."""
    source, program = str(folder / f"{name}.c"), folder / "step.elf"
    linked = ["-nostartfiles", f"-Wl,-Ttext={_CODE:#x},-e,{name}_step,--section-start=.data={_RAM:#x}"]
    build = ["arm-none-eabi-gcc", *FLAGS, optimised, "-fstack-usage"]
    subprocess.run([*build, source, *linked, "-o", str(program)], check=True, cwd=folder)
    stack = sum(int(size) for path in folder.glob("*.su") for size in re.findall(r"\t(\d+)\tstatic", path.read_text()))
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", program.name, "step.bin"], check=True, cwd=folder)
    listed = subprocess.run(["arm-none-eabi-nm", str(program)], capture_output=True, text=True, check=True).stdout
    begin = int(next(line.split()[0] for line in listed.splitlines() if line.endswith(f" {name}_step")), 16)
    content = (folder / "step.bin").read_bytes()
    return Cost(len(content), stack, _instructions(content, begin))


def _instructions(content: bytes, begin: int) -> int:
    machine, counted = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS), 0
    machine.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
    for place, size in ((_CODE, 0x80000), (_RAM, 0x40000), (_SYSTEM, 0x1000)):
        machine.mem_map(place, size)
    machine.mem_write(_CODE, content)
    machine.mem_write(_SYSTEM + 0xD88, struct.pack("<I", 0xF << 20))  # the floating-point unit
    machine.reg_write(arm.UC_ARM_REG_FPEXC, 0x40000000)
    drawn = np.random.default_rng(0).uniform(-1, 1, 4096).astype("<f4").tobytes()
    machine.mem_write(_STATE, drawn)
    machine.mem_write(_INPUT, drawn)

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    machine.hook_add(UC_HOOK_CODE, count)
    registers = {
        arm.UC_ARM_REG_SP: _STACK,
        arm.UC_ARM_REG_R0: _STATE,
        arm.UC_ARM_REG_R1: _INPUT,
        arm.UC_ARM_REG_R2: _OUTPUT,
        arm.UC_ARM_REG_LR: _END | 1,
    }
    for register, value in registers.items():
        machine.reg_write(register, value)
    machine.emu_start(begin | 1, _END)
    return counted
