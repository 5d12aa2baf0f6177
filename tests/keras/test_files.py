"""Files of Keras' are read, and whatever is wrong with one is said in a sentence and never run."""

import json
import zipfile

import pytest

import sluicegate

keras = pytest.importorskip("keras", reason="keras is not installed: `make test-adapters` installs it")
if keras.backend.backend() != "torch":
    pytest.skip("Keras runs on another backend: set KERAS_BACKEND=torch", allow_module_level=True)
from sluicegate.keras import load  # noqa: E402 - where Keras is missing there is none

layers = keras.layers


@pytest.fixture
def file(tmp_path):
    keras.Sequential([keras.Input((None, 3)), layers.GRU(5)]).save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def saved(model, path):
    model.save(path)
    return path


def refused(path, words):
    with pytest.raises(sluicegate.DataError, match=words) as error:
        load(path)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    refused(tmp_path / "model.keras", "there is no file")


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_file_cut_short(file, share):
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    refused(file, "cut short, damaged or of another kind")


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "model.h5").write_text("no HDF5")
    refused(tmp_path / "model.h5", "cut short, damaged or of another kind")


@pytest.mark.filterwarnings("ignore")  # that Lambda layers, and .h5, are not advised
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_code_is_refused(tmp_path, ending):
    model = keras.Sequential([keras.Input((None, 3)), layers.Lambda(lambda x: 1 / 0 * x, output_shape=(None, 3))])
    refused(saved(model, tmp_path / f"model.{ending}"), "has code in it")


def test_a_class_of_others_is_refused(file):
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["config"]["layers"][1] |= {"module": "os", "class_name": "system", "registered_name": "system"}
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    refused(file, r"not Keras' own \(os.system\)")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_weights_alone(tmp_path):
    model = keras.Sequential([keras.Input((None, 3)), layers.GRU(5)])
    model.save_weights(tmp_path / "a.weights.h5")
    refused(tmp_path / "a.weights.h5", "holds weights and no model")
