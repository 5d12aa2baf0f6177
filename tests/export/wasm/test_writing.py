"""WebAssembly gives the bits of the C, and the page needs no network."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sluicegate.errors import MissingExtra
from sluicegate.export import of_folder, write_c, write_wasm
from sluicegate.export.vectors import inputs_for
from sluicegate.export.wasm import building
from tests.export.conftest import causal_network, layer_network, natively, needs, whole_network
from tests.tasks.saved_models import FOLDER

RUN = Path(__file__).parents[1] / "run.mjs"


def in_node(module, inputs, outputs):
    command = ["node", str(RUN), str(module), str(outputs)]
    done = subprocess.run(command, input=json.dumps({"inputs": inputs.tolist()}), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.array(json.loads(done.stdout)["found"], np.float32)


@pytest.mark.parametrize("which", ["floats", "int8", "recordings", "forecasts"])
def test_node_gives_the_bits_of_the_c(which, tmp_path):
    needs("node", "gcc")
    pytest.importorskip("ziglang")
    make = {
        "floats": lambda: layer_network("lstm"),
        "int8": lambda: whole_network("gru"),
        "forecasts": lambda: of_folder(FOLDER / "forecast-gru", series="a"),
    }
    network = causal_network(tmp_path / "model") if which == "recordings" else make[which]()
    written, module = write_c(network, tmp_path), write_wasm(network, tmp_path).module
    inputs, outputs = inputs_for(network, 40), len(network.outputs)
    expected = natively(tmp_path, "model", inputs, outputs, written.state_bytes)
    np.testing.assert_array_equal(in_node(module, inputs, outputs), expected)


def test_the_page_is_small_and_asks_nothing_of_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr("sluicegate.export.wasm.writing.build", lambda sources, include, to: to.write_bytes(b"\0asm"))
    network = layer_network("gru")
    written = write_wasm(network, tmp_path, name="gate")
    text = written.page.read_text()
    assert written.page_bytes < 100 * 1024
    assert "{{" not in text
    assert not re.search(r"(src|href)\s*=|https?://|fetch\(|import\(", text)
    assert "default-src 'none'" in text
    assert '"gate"' in text


def test_without_a_compiler_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "find_spec", lambda name: None)
    monkeypatch.setattr(building.shutil, "which", lambda name: None)
    with pytest.raises(MissingExtra, match=r"sluicegate\[wasm\]"):
        write_wasm(layer_network("rnn"), tmp_path)
