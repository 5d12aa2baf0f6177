"""A saved model comes back as it was, and everything that is not one is refused with a sentence."""

import hashlib
import json
import os
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest
from safetensors.numpy import save

from sluicegate import bundle
from sluicegate.errors import BundleError, ConfigError


def model(version=0, **more):
    """A small model whose every file tells the version, so that a mixture would show."""
    config = {"schema": bundle.SCHEMA, "task": "forecast", "version": version}
    weights = {"w": np.full((40, 50), version, np.float32), "bias": np.arange(3, dtype=np.float64)}
    return {
        "config.json": json.dumps(config).encode(),
        "weights.safetensors": save(weights),
        "MODEL_CARD.md": f"version {version}, in Zürich\n".encode(),
        **more,
    }


def version(read):
    (one,) = {read.json("config.json")["version"], int(read.tensors("weights.safetensors")["w"][0, 0])}
    assert read.text("MODEL_CARD.md").startswith(f"version {one},")
    return one


def sentence(error):
    """The message, after a check that it is one line with a remedy after a colon."""
    text = str(error.value)
    assert "\n" not in text
    assert text.rpartition(": ")[2]
    return text


@pytest.fixture
def place(tmp_path):
    return tmp_path / "models" / "demand"


@pytest.fixture
def saved(place):
    bundle.write(place, model(1))
    return place


def rewrite_manifest(place, change):
    path = place / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def entry(content):
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


# There and back


def test_round_trip(saved):
    files = model(1)
    read = bundle.read(str(saved))
    assert dict(read.files) == files
    assert version(read) == 1
    tensors = read.tensors("weights.safetensors")
    assert tensors["w"].dtype == np.float32
    np.testing.assert_array_equal(tensors["bias"], [0.0, 1.0, 2.0])
    tensors["w"][:] = 7  # the arrays are the reader's own
    manifest = json.loads((saved / "manifest.json").read_text())
    assert manifest == {
        "format": "sluicegate",
        "schema": bundle.SCHEMA,
        "files": {name: entry(content) for name, content in files.items()},
    }
    assert {path.name for path in saved.iterdir()} == {*files, "manifest.json"}
    assert [path.name for path in saved.parent.iterdir()] == ["demand"]


def test_a_bundle_cannot_be_changed(saved):
    read = bundle.read(saved)
    with pytest.raises(TypeError):
        read.files["config.json"] = b""
    with pytest.raises(AttributeError):
        read.folder = saved.parent


def test_replaces_an_older_model_and_its_files(saved):
    bundle.write(saved, model(2, **{"vocabulary.json": b"[]"}))
    bundle.write(saved, model(3))
    assert version(bundle.read(saved)) == 3
    assert not (saved / "vocabulary.json").exists()
    assert [path.name for path in saved.parent.iterdir()] == ["demand"]


def test_fills_an_empty_folder(place):
    place.mkdir(parents=True)
    bundle.write(place, model(1))
    assert version(bundle.read(place)) == 1


def test_replaces_what_a_link_leads_to(saved, tmp_path):
    link = tmp_path / "latest"
    link.symlink_to(saved)
    bundle.write(link, model(2))
    assert link.is_symlink()
    assert version(bundle.read(link)) == version(bundle.read(saved)) == 2


def test_keeps_a_private_model_private(saved):
    saved.chmod(0o700)
    bundle.write(saved, model(2))
    assert stat.S_IMODE(saved.stat().st_mode) == 0o700


# What cannot be written


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "/etc/x", ".x", "manifest.json", "a\0"])
def test_refuses_to_write_a_strange_name(place, name):
    with pytest.raises(ConfigError) as error:
        bundle.write(place, model(1, **{name: b""}))
    assert repr(name) in sentence(error)
    assert not place.parent.exists()


@pytest.mark.parametrize("config", [None, b"", b"[]", b"{}", b'{"schema": 2}', b'{"schema": true}', b"[" * 10**5])
def test_refuses_to_write_without_a_proper_config(place, config):
    files = model(1)
    del files["config.json"]
    with pytest.raises(ConfigError) as error:
        bundle.write(place, files if config is None else {**files, "config.json": config})
    assert "config.json" in sentence(error)
    assert not place.parent.exists()


def test_refuses_to_replace_what_is_not_a_model(place):
    place.mkdir(parents=True)
    (place / "thesis.tex").write_text("years")
    with pytest.raises(BundleError, match=r"will not replace .*thesis\.tex") as error:
        bundle.write(place, model(1))
    assert str(place) in sentence(error)
    assert [path.name for path in place.iterdir()] == ["thesis.tex"]


def test_refuses_to_replace_a_model_with_something_added(saved):
    (saved / "notes.txt").write_text("why the third run was the best")
    with pytest.raises(BundleError, match=r"holds 'notes\.txt'") as error:
        bundle.write(saved, model(2))
    sentence(error)
    assert version(bundle.read(saved)) == 1


def test_refuses_to_replace_a_folder_whose_manifest_is_of_another_program(place):
    place.mkdir(parents=True)
    (place / "manifest.json").write_text('{"name": "a web page"}')
    with pytest.raises(BundleError, match="is not the manifest of a Sluicegate model") as error:
        bundle.write(place, model(1))
    sentence(error)
    assert (place / "manifest.json").exists()


def test_refuses_to_replace_a_file(place):
    place.parent.mkdir()
    place.write_text("precious")
    with pytest.raises(BundleError, match="is a file") as error:
        bundle.write(place, model(1))
    sentence(error)
    assert place.read_text() == "precious"
    with pytest.raises(BundleError, match="is a file"):
        bundle.read(place)


def test_a_file_above_the_place(place):
    place.parent.write_text("precious")
    with pytest.raises(BundleError) as error:
        bundle.write(place, model(1))
    assert str(place) in sentence(error)
    assert place.parent.read_text() == "precious"


# What cannot be read


def test_missing_folder(place):
    with pytest.raises(BundleError, match="does not exist") as error:
        bundle.read(place)
    assert str(place) in sentence(error)


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "MODEL_CARD.md", "manifest.json"])
def test_missing_file(saved, name):
    (saved / name).unlink()
    with pytest.raises(BundleError, match=rf"^{name} of the model .* is missing") as error:
        bundle.read(saved)
    sentence(error)


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "MODEL_CARD.md"])
def test_cut_or_altered_file(saved, name):
    content = (saved / name).read_bytes()
    flipped = content[:-1] + bytes([content[-1] ^ 1])
    for damaged, why in [
        (content[:-1], "was cut short"),
        (b"", "was cut short"),
        (content + b"x", "was altered, it has"),
        (flipped, "was altered, its sha256"),
    ]:
        (saved / name).write_bytes(damaged)
        with pytest.raises(BundleError, match=rf"^{name} of the model .* {why}") as error:
            bundle.read(saved)
        sentence(error)
    (saved / name).write_bytes(content)
    assert version(bundle.read(saved)) == 1


def test_manifest_cut_anywhere(saved):
    path = saved / "manifest.json"
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(BundleError, match=r"^manifest\.json of the model"):
            bundle.read(saved)


@pytest.mark.parametrize(
    "content",
    [
        "null",
        "[]",
        "{}",
        '{"format": "other", "schema": 1, "files": {}}',
        '{"format": "sluicegate", "files": {}}',
        '{"format": "sluicegate", "schema": "1", "files": {}}',
        '{"format": "sluicegate", "schema": true, "files": {}}',
        '{"format": "sluicegate", "schema": 0, "files": {}}',
        '{"format": "sluicegate", "schema": 1}',
        '{"format": "sluicegate", "schema": 1, "files": {}}',
        '{"format": "sluicegate", "schema": 1, "files": {"config.json": {}}}',
        '{"format": "sluicegate", "schema": 1, "files": {"config.json": {"sha256": "00", "size": 1}}}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_malformed_manifest(saved, content):
    (saved / "manifest.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BundleError, match=r"^manifest\.json of the model") as error:
        bundle.read(saved)
    sentence(error)


@pytest.mark.parametrize("size", [-1, 1.5, "9", None, True, 10**400])
def test_manifest_with_a_strange_size(saved, size):
    rewrite_manifest(saved, lambda m: m["files"]["MODEL_CARD.md"].update(size=size))
    with pytest.raises(BundleError, match=r"MODEL_CARD\.md") as error:
        bundle.read(saved)
    sentence(error)


@pytest.mark.parametrize("way", ["../secret", "sub/secret", "..", "", "manifest.json", "absolute", "..\\secret"])
def test_manifest_that_leads_out_of_the_folder(saved, way):
    secret = saved.parent / "secret"
    secret.write_bytes(b"secret")
    name = str(secret) if way == "absolute" else way
    rewrite_manifest(saved, lambda m: m["files"].update({name: entry(b"secret")}))
    with pytest.raises(BundleError, match="not the name of a file in this folder") as error:
        bundle.read(saved)
    assert repr(name) in sentence(error)


@pytest.mark.parametrize("name", ["MODEL_CARD.md", "manifest.json"])
def test_link_in_place_of_a_file(saved, name):
    content = (saved / name).read_bytes()
    outside = saved.parent / "outside"
    outside.write_bytes(content)
    (saved / name).unlink()
    (saved / name).symlink_to(outside)
    with pytest.raises(BundleError, match=rf"^{name} .* is a link") as error:
        bundle.read(saved)
    sentence(error)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_pipe_or_folder_in_place_of_a_file(saved, make):
    (saved / "MODEL_CARD.md").unlink()
    make(saved / "MODEL_CARD.md")
    with pytest.raises(BundleError, match="special file"):
        bundle.read(saved)


def test_newer_schema(saved):
    rewrite_manifest(saved, lambda m: m.update(schema=bundle.SCHEMA + 1, files="in some new form"))
    with pytest.raises(BundleError, match=r"^manifest\.json .* newer version.*pip install --upgrade") as error:
        bundle.read(saved)
    sentence(error)
    with pytest.raises(BundleError, match="newer version"):
        bundle.write(saved, model(2))


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (b'{"schema": 999}', "newer version"),
        (b"{}", "schema None"),
        (b"[]", "schema None"),
        (b'{"schema": "1"}', "schema '1'"),
        (b"{", "is not JSON"),
    ],
)
def test_config_with_a_strange_schema(saved, config, why):
    (saved / "config.json").write_bytes(config)
    rewrite_manifest(saved, lambda m: m["files"].update({"config.json": entry(config)}))
    with pytest.raises(BundleError, match=rf"^config\.json .*{why}") as error:
        bundle.read(saved)
    sentence(error)


def test_files_too_long_are_refused_before_they_are_read(saved, monkeypatch):
    huge = 2**40  # a sparse file: it takes no space, but reading it would take all memory
    for name in ["manifest.json", "MODEL_CARD.md", "config.json"]:
        path = saved / name
        content = path.read_bytes()
        with path.open("r+b") as file:
            file.truncate(huge)
        with pytest.raises(BundleError, match=rf"^{name} .* has {huge} bytes"):
            bundle.read(saved)
        path.write_bytes(content)
    rewrite_manifest(saved, lambda m: m["files"]["config.json"].update(size=huge))
    with pytest.raises(BundleError, match=r"^config\.json .* a JSON file may have"):
        bundle.read(saved)
    monkeypatch.setattr(bundle, "_JSON_LIMIT", 100)
    with pytest.raises(ConfigError, match=r"^vocabulary\.json"):
        bundle.write(saved, model(2, **{"vocabulary.json": b"0" * 101}))


def test_content_of_another_kind(place):
    more = {"latin.txt": b"\xff", "broken.json": b"{", "broken.safetensors": b"no tensors", "pickle.pkl": b"."}
    bundle.write(place, model(1, **more))
    read = bundle.read(place)
    for get, name, why in [
        (read.text, "latin.txt", "UTF-8"),
        (read.json, "broken.json", "JSON"),
        (read.tensors, "broken.safetensors", "safetensors"),
        (read.tensors, "pickle.pkl", "safetensors"),
        (read.raw, "vocabulary.json", "is missing among MODEL_CARD.md, broken.json"),
    ]:
        with pytest.raises(BundleError, match=rf"^{name} of the model .* {'is not' * (get != read.raw)}.*{why}"):
            get(name)


def test_importing_does_not_bring_in_torch():
    code = "import sys, sluicegate.bundle; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# Readers and writers at the same time


def test_a_reader_never_sees_a_mixture(saved):
    done = threading.Event()

    def rewrite():
        number = 1
        while not done.is_set():
            number += 1
            bundle.write(saved, model(number))

    writers = [threading.Thread(target=rewrite) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(100):
            assert version(bundle.read(saved)) >= 1
    finally:
        done.set()
        for writer in writers:
            writer.join()
    assert [path.name for path in saved.parent.iterdir()] == ["demand"]
