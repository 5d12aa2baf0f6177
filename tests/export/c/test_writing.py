"""The C compiles without a warning, answers as this package does, and in int8 with the same bits everywhere."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from sluicegate.errors import ConfigError
from sluicegate.export import in_int8, of_layers, write_c
from sluicegate.export.vectors import expected_of, inputs_for
from sluicegate.nn import quantize
from tests.export.conftest import (
    CELLS,
    STRICT,
    causal_network,
    layer_network,
    natively,
    needs,
    run_test,
    whole_network,
)

EMULATED = Path(__file__).parents[1] / "emulated"
BOARDS = {"cortex-m4": ("fpv4-sp-d16", "mps2-an386"), "cortex-m7": ("fpv5-sp-d16", "mps2-an500")}


@pytest.mark.parametrize("name", CELLS)
def test_floats_answer_as_the_kernels_do(name, tmp_path):
    needs("gcc")
    network = layer_network(name)
    written = write_c(network, tmp_path)
    assert "0 that differ in bits" in run_test(tmp_path, "model")
    inputs = inputs_for(network, 40, seed=7)
    found = natively(tmp_path, "model", inputs, 3, written.state_bytes)
    np.testing.assert_allclose(found, expected_of(network, inputs), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_whole_numbers_have_the_bits_of_the_reference(name, tmp_path):
    needs("gcc")
    network = whole_network(name)
    written = write_c(network, tmp_path)
    assert "largest error 0, 0 that differ" in run_test(tmp_path, "model")
    inputs = inputs_for(network, 300, seed=3)
    found = natively(tmp_path, "model", inputs, len(network.outputs), written.state_bytes)
    np.testing.assert_array_equal(found, expected_of(network, inputs))


class InInt8:
    """As a quantised layer gives its numbers."""

    def __init__(self, name, *, bidirectional=False):
        self.bidirectional, self.cell = bidirectional, name.partition("-")[0]
        self._layers = whole_network(name).members[0].layers
        self.suffixes = [f"_l{depth}" for depth in range(len(self._layers))]

    def layer(self, suffix):
        return self._layers[int(suffix.removeprefix("_l"))]


def test_a_quantised_layer_is_exported_as_it_is(tmp_path):
    network = of_layers(InInt8("lstm"))
    write_c(network, tmp_path)
    needs("gcc")
    assert "largest error 0, 0 that differ" in run_test(tmp_path, "model")
    with pytest.raises(ConfigError, match="bidirectional=True"):
        of_layers(InInt8("lstm", bidirectional=True))


@pytest.mark.parametrize("flags", [(), ("-msse2", "-mfpmath=sse")], ids=["x87", "sse"])
def test_32_bits_give_the_same_bits(flags, tmp_path):
    needs("gcc")
    (tmp_path / "probe.c").write_text("#include <stdio.h>\nint main(void) { return 0; }\n")
    command = ["gcc", "-m32", str(tmp_path / "probe.c"), "-o", str(tmp_path / "probe")]
    probe = subprocess.run(command, capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("gcc-multilib is not installed")
    write_c(whole_network("lstm"), tmp_path)
    assert "largest error 0, 0 that differ" in run_test(tmp_path, "model", "-m32", *flags)


@pytest.mark.parametrize("processor", BOARDS)
@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_emulated_microcontrollers_give_the_same_bits(name, processor, tmp_path):
    needs("arm-none-eabi-gcc", "qemu-system-arm")
    unit, board = BOARDS[processor]
    write_c(whole_network(name), tmp_path)
    flags = [f"-mcpu={processor}", "-mthumb", "-mfloat-abi=hard", f"-mfpu={unit}", "--specs=rdimon.specs"]
    emulator = [
        "qemu-system-arm",
        "-M",
        board,
        "-nographic",
        "-semihosting-config",
        "enable=on,target=native",
        "-kernel",
    ]
    said = run_test(
        tmp_path, "model", *flags, "-T", str(EMULATED / "mps2.ld"),
        compiler="arm-none-eabi-gcc", before=emulator, sources=[str(EMULATED / "start.c")],
    )  # fmt: skip
    assert "largest error 0, 0 that differ" in said


def test_a_layer_of_relu_stays_in_floats_where_nothing_was_seen(tmp_path):
    network = layer_network("rnn-relu")
    assert in_int8(network) == network


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("inputs", [5, 10])
def test_a_network_is_quantised_as_its_layers_are(name, inputs):
    torch.manual_seed(0)
    kind, options = CELLS[name]
    layer = kind(inputs, 11, **options).eval()
    rows = torch.randn(60, inputs)
    expected, found = of_layers(quantize(layer, [rows])), in_int8(of_layers(layer), rows.numpy())
    for one, other in zip(expected.members[0].layers, found.members[0].layers, strict=True):
        for name in ("input", "hidden"):
            ours, theirs = getattr(one, name), getattr(other, name)
            for part, again in zip(ours or (), theirs or (), strict=True):
                np.testing.assert_array_equal(part, again)
        np.testing.assert_array_equal(one.bias, other.bias)


@pytest.mark.parametrize("cell", ["gru", "lstm", "mingru"])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_classifiers_of_recordings_answer_as_their_streams(cell, precision, tmp_path):
    needs("gcc")
    network = causal_network(tmp_path / "model", cell)
    network = in_int8(network) if precision == "int8" else network
    written = write_c(network, tmp_path, name="watch")
    run_test(tmp_path, "watch")
    inputs = inputs_for(network, 60, seed=5)
    found = natively(tmp_path, "watch", inputs, 2, written.state_bytes)
    np.testing.assert_allclose(found, expected_of(network, inputs), atol=2e-6)


def test_the_source_uses_no_library_but_string(tmp_path):
    write_c(causal_network(tmp_path / "model"), tmp_path, name="watch")
    text = (tmp_path / "watch.c").read_text() + (tmp_path / "watch.h").read_text()
    included = {line for line in text.splitlines() if line.startswith("#include <")}
    assert included == {"#include <string.h>", "#include <stdint.h>"}
    assert not any(word in text for word in ("malloc", "printf", "math.h"))
    needs("gcc")
    subprocess.run(["gcc", *STRICT, "-c", str(tmp_path / "watch.c"), "-o", str(tmp_path / "watch.o")], check=True)
    wanted = subprocess.run(["nm", "-u", str(tmp_path / "watch.o")], capture_output=True, text=True, check=True).stdout
    assert set(wanted.split()) - {"U"} <= {"memset", "memcpy"}


@pytest.mark.parametrize("name", ["1model", "a b", "", "x" * 40, "naïve"])
def test_a_name_that_is_none_of_c_is_refused(name, tmp_path):
    with pytest.raises(ConfigError, match="must be a name of C"):
        write_c(layer_network("rnn"), tmp_path, name=name)


def test_sizes_in_the_header_are_those_of_the_network(tmp_path):
    written = write_c(whole_network("gru"), tmp_path, name="gate")
    text = (tmp_path / "gate.h").read_text()
    assert written.state_bytes == 11 * 4
    assert f"#define GATE_STATE_BYTES {written.state_bytes}\n" in text
    assert f"#define GATE_MULTIPLY_ADDS {3 * 11 * (10 + 11)}\n" in text
    assert f"#define GATE_FLASH_BYTES {written.constant_bytes}\n" in text
