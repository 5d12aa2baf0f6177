"""The figures of `layers.py` as tables, and in words where they are not as one would like them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from peers.problem import MODES, Case, Mode

Contender: TypeAlias = tuple[str, str]  # the library and the cell
Figures: TypeAlias = dict[tuple[Case, Mode, Contender], float]  # seconds

OURS: Contender = ("sluicegate", "gru")
TORCH: Contender = ("torch", "gru")
OUR_LSTM: Contender = ("sluicegate", "lstm")
TORCH_LSTM: Contender = ("torch", "lstm")
OURS_BF16 = "sluicegate_bf16"
TIE = 1.005  # two figures that look the same in the tables
WHEN: dict[Mode, str] = {"forward": "forward", "training": "in training"}


class Library(NamedTuple):
    """What a library is called, and what it takes part in."""

    label: str
    cells: tuple[str, ...] = ("gru",)
    modes: tuple[Mode, ...] = ("forward",)


LIBRARIES = {
    "sluicegate": Library("Sluicegate", ("gru", "lstm"), MODES),
    "torch": Library("PyTorch", ("gru", "lstm"), MODES),
    "sluicegate_bf16": Library("Sluicegate, bfloat16", ("gru", "lstm"), MODES),
    "torch_bf16": Library("PyTorch, bfloat16", ("gru", "lstm"), MODES),
    "jax": Library("JAX", modes=MODES),
    "keras": Library("Keras", modes=MODES),
    "onnxruntime": Library("ONNX Runtime"),
    "openvino": Library("OpenVINO"),
}


class Limits(NamedTuple):
    """What the machine can do with these threads, in GFLOP/s."""

    product: float
    registers: float


def tables(figures: dict[int, Figures], threads: int, limits: Limits) -> Iterator[str]:
    """The tables of the measurements with a number of threads, line by line."""
    yield from [f"### {named(threads)}", ""]
    for mode in MODES:
        yield from times(figures[threads], mode)
        yield ""
    if any(contender == OURS for _, _, contender in figures[threads]):
        yield from ours(figures, threads, limits)
        yield ""
    if any(library == OURS_BF16 for _, _, (library, _) in figures[threads]):
        yield from in_bf16(figures[threads])
        yield ""
    yield from [
        f"The machine's limits, measured in the same run with {named(threads).lower()}: {limits.registers:.0f} GFLOP/s "
        "in multiply-adds that never leave the registers, "
        f"{limits.product:.0f} GFLOP/s in PyTorch's product of two 2048 x 2048 matrices.",
        "",
    ]


def times(figures: Figures, mode: Mode) -> Iterator[str]:
    """A row for a size, a column for a contender; beside the milliseconds how many times as fast as `torch.nn.GRU`."""
    cases = dict.fromkeys(case for case, _, _ in figures)
    # The GRUs first, in the order of the libraries, then the LSTMs.
    columns = sorted(
        dict.fromkeys(contender for _, m, contender in figures if m == mode and not rounds(contender)),
        key=lambda contender: (contender[1], list(LIBRARIES).index(contender[0])),
    )
    yield f"| {WHEN[mode].removeprefix('in ')}, ms | " + " | ".join(name(c) for c in columns) + " |"
    yield "| --- |" + " --- |" * len(columns)
    for case in cases:
        row = {contender: figures[case, mode, contender] for contender in columns}
        fastest = min(seconds for (_, cell), seconds in row.items() if cell == "gru")
        cells = []
        for contender, seconds in row.items():
            text = f"**{milliseconds(seconds)}**" if seconds == fastest else milliseconds(seconds)
            cells.append(text if contender == TORCH or TORCH not in row else f"{text} ({row[TORCH] / seconds:.1f}x)")
        yield f"| {size(case)} | {' | '.join(cells)} |"


def ours(figures: dict[int, Figures], threads: int, limits: Limits) -> Iterator[str]:
    """Our GRU beside the LSTMs and beside the machine's limit, and what is to be said against it."""
    now = figures[threads]
    yield (
        "| our GRU's time, forward / training | of PyTorch's LSTM | of our LSTM | forward, GFLOP/s | of the limit | "
        "who is faster |"
    )
    yield "| --- |" + " --- |" * 5
    for case in dict.fromkeys(case for case, _, _ in now):
        cells = [" / ".join(share(now, case, mode, other) for mode in MODES) for other in (TORCH_LSTM, OUR_LSTM)]
        rate = case.gigaflops("gru") / now[case, "forward", OURS]
        cells += [f"{rate:.0f}", f"{rate / limits.registers:.0%}"]
        yield f"| {size(case)} | {' | '.join(cells)} | {verdict(figures, threads, case)} |"


def share(figures: Figures, case: Case, mode: Mode, other: Contender) -> str:
    """Our GRU's time as a share of another's, or nothing where one of them is missing."""
    ours, theirs = figures.get((case, mode, OURS)), figures.get((case, mode, other))
    return f"{ours / theirs:.2f}" if ours and theirs else ""


def verdict(figures: dict[int, Figures], threads: int, case: Case) -> str:
    """Say who is faster than ours, a GRU than our GRU and an LSTM than our LSTM, and whether more threads did harm."""
    now, fewest = figures[threads], figures[min(figures)]
    faster, harmed = [], []
    for mode in MODES:
        for ours in (OURS, OUR_LSTM):
            mine = now[case, mode, ours]
            for (c, m, other), seconds in now.items():
                if rounds(other) or (c, m, other[1]) != (case, mode, ours[1]) or other == ours:
                    continue
                if mine / seconds > TIE:
                    faster.append(f"{name(other)} {WHEN[mode]}, {mine / seconds:.2f}x")
            if mine / fewest[case, mode, ours] > TIE:
                harmed.append(f"our {ours[1].upper()} {WHEN[mode]}")
    sentences = ["; ".join(faster) or "nobody"]
    if harmed:
        sentences.append(f"slower than with {named(min(figures)).lower()}: {', '.join(harmed)}")
    return "; ".join(sentences)


def rounds(contender: Contender) -> bool:
    """Whether it computes under autocast to bfloat16."""
    return contender[0].endswith("_bf16")


def in_bf16(figures: Figures) -> Iterator[str]:
    """Our layers under autocast to bfloat16 beside PyTorch's own under it, and beside ours in float32."""
    head = ", ".join(f"{mode} (of PyTorch's in bfloat16; of ours in float32)" for mode in MODES)
    yield f"| bfloat16, ms | {head.replace('), ', ') | ')} |"
    yield "| --- |" + " --- |" * len(MODES)
    for case in dict.fromkeys(case for case, _, _ in figures):
        for cell in ("gru", "lstm"):
            cells = []
            for mode in MODES:
                mine = figures[case, mode, (OURS_BF16, cell)]
                others = (figures.get((case, mode, (library, cell))) for library in ("torch_bf16", "sluicegate"))
                beside = "; ".join(f"{other / mine:.2f}x" if other else "none" for other in others)
                cells.append(f"{milliseconds(mine)} ({beside})")
            yield f"| {cell.upper()} {size(case)} | {' | '.join(cells)} |"


def name(contender: Contender) -> str:
    """The library and the cell, as people write them."""
    return f"{LIBRARIES[contender[0]].label} {contender[1].upper()}"


def milliseconds(seconds: float) -> str:
    """A time with three digits, or more where it is long."""
    return f"{1e3 * seconds:#.3g}" if seconds < 0.0995 else f"{1e3 * seconds:.0f}"


def size(case: Case) -> str:
    """A size as the first cell of a row."""
    return f"{case.input} → {case.hidden}, batch {case.batch}, {case.steps} steps"


def named(threads: int) -> str:
    """A number of threads, in words while it is small."""
    return {1: "One thread", 2: "Two threads"}.get(threads, f"{threads} threads")
