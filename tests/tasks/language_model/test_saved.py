"""A saved model is the model; one whose files were altered and whose manifest was made anew is refused."""

import json

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

import sluicegate
from sluicegate import bundle
from sluicegate.errors import BundleError


def test_what_is_loaded_says_and_writes_the_same(spelling, texts, tmp_path):
    spelling.save(tmp_path / "model")
    again = sluicegate.load(tmp_path / "model")
    some = [*texts(3, seed=4), "zebra"]
    assert again.score(some).equals(spelling.score(some))
    assert again.generate("the", seed=4) == spelling.generate("the", seed=4)
    assert again.evaluate(some, cache=50).as_dict() == spelling.evaluate(some, cache=50).as_dict()
    stream = spelling.open_stream()
    stream.push("the cat")
    other = again.open_stream()
    other.restore(stream.snapshot())
    assert other.push("sat") == stream.push("sat")


@pytest.fixture(scope="module")
def files(trained):
    return trained.files()


def setting(*path, value):
    def alter(content):
        config = json.loads(content)
        place = config
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        return json.dumps(config).encode()

    return alter


def array(change):
    return lambda content: save_arrays({"words": change(load_arrays(content)["words"])})


@pytest.mark.parametrize(
    ("file", "alter", "expected"),
    [
        ("config.json", setting("shape", "hidden", value=2**20), "is of shape"),
        ("config.json", setting("shape", "layers", value=10**9), "shape.layers"),
        ("config.json", setting("shape", "tokens", value=7), "are not numbered from 0 to 6"),
        ("config.json", setting("shape", "cuts", value=[9, 9]), "shape.cuts: they must ascend to below"),
        ("config.json", setting("shape", "cuts", value=[9, 10**6]), "shape.cuts: they must ascend to below"),
        ("config.json", setting("shape", "cuts", value=[0, 9]), "shape.cuts"),
        ("config.json", setting("shape", "cuts", value=[9, 12]), "is of shape"),
        ("config.json", setting("cache", "share", value=1.0), "cache.share"),
        ("config.json", setting("cache", "size", value=0), "cache.size"),
        ("config.json", setting("column", value=7), "column"),
        ("words.json", setting("names", value=["the"]), "out of range"),
        ("words.json", setting("names", value=[1]), "names.0"),
        ("arrays.safetensors", array(lambda words: words - 1), "out of range"),
        ("arrays.safetensors", array(lambda words: words.astype(np.int64)), "of type int64"),
        ("subwords.json", setting("model", "vocab", value={"<pad>": 0}), "are not numbered from 0"),
        ("subwords.json", setting("model", "type", value="WordLevel"), "model.type"),
        ("subwords.json", lambda content: content.replace(b'"<end>":2', b'"<emd>":2'), "does not begin with"),
    ],
)
def test_altered_files_are_refused(file, alter, expected, files, tmp_path):
    changed = alter(files[file])
    assert changed != files[file]
    bundle.write(tmp_path / "model", {**files, file: changed})
    with pytest.raises(BundleError) as caught:
        sluicegate.load(tmp_path / "model")
    assert expected in str(caught.value)
