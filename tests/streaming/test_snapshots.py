"""Snapshots of streams: there and back, and refused when they are anything else, in a sentence that says why."""

import hashlib
import json
import random
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from sluicegate.errors import SnapshotError
from sluicegate.streaming import snapshots

MODEL = "0123456789abcdef" * 4
ARRAYS = {"h": np.arange(6, dtype=np.float32).reshape(2, 3), "steps": np.array(7), "seen": np.zeros((0, 2), bool)}
SETTINGS = {"finished": False, "names": ["a", "ü"], "last": None, "rate": 0.1}
SNAPSHOT = snapshots.write("layer", MODEL, SETTINGS, ARRAYS)


def made_anew(content, *, version=None, length=None):
    """The same with a checksum that is right, as whoever alters a snapshot can make it."""
    head = bytearray(content[:60])
    head[8:12] = struct.pack("<I", version) if version is not None else head[8:12]
    head[12:20] = struct.pack("<Q", len(content) if length is None else length)
    head[20:52] = hashlib.sha256(bytes(head[:20]) + bytes(head[52:]) + content[60:]).digest()
    return bytes(head) + content[60:]


def with_about(about):
    """The snapshot with another JSON text."""
    (length,) = struct.unpack_from("<Q", SNAPSHOT, 52)
    return made_anew(SNAPSHOT[:52] + struct.pack("<Q", len(about)) + about + SNAPSHOT[60 + length :])


def test_there_and_back():
    found, arrays = snapshots.read(SNAPSHOT, "layer", MODEL)
    assert found == SETTINGS
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array)
        assert arrays[name].flags.writeable
    assert snapshots.write("layer", MODEL, dict(reversed(SETTINGS.items())), ARRAYS) == SNAPSHOT


@given(arrays_of.arrays(st.sampled_from(["f4", "f8", "i8", "u1", "?"]), arrays_of.array_shapes(min_dims=0, min_side=0)))
@settings(max_examples=50)
def test_arrays_come_back_to_the_bit(array):
    _, found = snapshots.read(snapshots.write("k", MODEL, {}, {"a": array.T}), "k", MODEL)
    assert found["a"].shape == array.T.shape
    assert found["a"].tobytes() == array.T.tobytes()


def test_settings_that_json_does_not_have():
    with pytest.raises(ValueError, match="JSON"):
        snapshots.write("layer", MODEL, {"loss": float("nan")}, {})


@pytest.mark.parametrize("length", [0, 1, 7, 8, 20, 52, 59, 60, 61, len(SNAPSHOT) - 1])
def test_one_that_was_cut_short(length):
    with pytest.raises(SnapshotError, match=r"cut short|no bytes|does not begin"):
        snapshots.read(SNAPSHOT[:length], "layer", MODEL)


def test_a_byte_altered_anywhere():
    for place in range(len(SNAPSHOT)):
        other = SNAPSHOT[:place] + bytes([SNAPSHOT[place] ^ 1]) + SNAPSHOT[place + 1 :]
        with pytest.raises(SnapshotError, match="is damaged"):
            snapshots.read(other, "layer", MODEL)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (SNAPSHOT + b"x", "was altered, it has"),
        (made_anew(SNAPSHOT, version=2), "has version 2, written by a newer release, and this one reads up to 1"),
        (made_anew(SNAPSHOT, version=0), "has version 0"),
        (made_anew(SNAPSHOT[:52] + b"\xff" * 8 + SNAPSHOT[60:]), "its settings would have 18446744073709551615 bytes"),
        (with_about(b"{"), "its settings are not JSON"),
        (with_about(b"[" * 100_000), "its settings are not JSON"),
        (with_about(b"9" * 5000), "its settings are not JSON"),
        (with_about(b'"\xff"'), "its settings are not JSON"),
        (with_about(b"[1]"), "does not say of what kind"),
        (with_about(b'{"kind": 1, "model": "", "settings": {}}'), "does not say of what kind"),
        (made_anew(SNAPSHOT[:-1]), "its arrays are not safetensors"),
        (snapshots.write("forecast", MODEL, {}, {}), "of the kind 'forecast', and this one is of the kind 'layer'"),
        (snapshots.write("layer", MODEL[::-1], {}, {}), "another model, with the fingerprint 'fedcba987654'"),
    ],
)
def test_what_is_wrong_is_said(content, why):
    with pytest.raises(SnapshotError, match=why.replace("(", r"\(")):
        snapshots.read(content, "layer", MODEL)


ODD = [None, True, -1, 0, 2**63, 2**64, 10**30, 1.5, float("nan"), "", "layer", "\ud800", [], [[]], {}, {"a": 1}]


def altered(chance):
    """A snapshot of other content, and with a right checksum."""
    (length,) = struct.unpack_from("<Q", SNAPSHOT, 52)
    about, body = SNAPSHOT[60 : 60 + length], SNAPSHOT[60 + length :]
    way = chance.randrange(5)
    if way == 0:
        about = json.loads(about)
        holder = chance.choice([about, about["settings"]])
        holder[chance.choice(list(holder))] = chance.choice(ODD)
        about = json.dumps(about).encode()
    elif way == 1:  # the header of the arrays
        (size,) = struct.unpack_from("<Q", body)
        header = json.loads(body[8 : 8 + size])
        entry = header[chance.choice(list(header))]
        key = chance.choice(list(entry))
        if isinstance(entry[key], list) and entry[key]:
            entry[key][chance.randrange(len(entry[key]))] = chance.choice(ODD)
        else:
            entry[key] = chance.choice([*ODD, "F64", "BF16", "F8_E5M2", "C64"])
        found = json.dumps(header).encode()
        body = struct.pack("<Q", len(found)) + found + body[8 + size :]
    elif way == 2:
        kept = load_arrays(body)
        del kept[chance.choice(list(kept))]
        body = save_arrays(kept)
    elif way == 3:
        body = body[: chance.randrange(len(body))] + bytes(chance.randrange(3))
    else:
        place = chance.randrange(len(body))
        body = body[:place] + bytes([chance.randrange(256)]) + body[place + 1 :]
    return made_anew(SNAPSHOT[:52] + struct.pack("<Q", len(about)) + about + body)


def test_altered_ones_end_in_an_answer_or_in_our_error():
    answers = 0
    for seed in range(3000):
        content = altered(random.Random(seed))
        try:
            _, arrays = snapshots.read(content, "layer", MODEL)
            snapshots.require(arrays, "h", (2, 3), np.float32)
            answers += 1
        except SnapshotError:
            pass
    assert 0 < answers < 3000


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "why"),
    [
        ("c", (2, 3), np.float32, "the array 'c' is missing"),
        ("h", (2, 4), np.float32, r"'h' is of shape \(2, 3\), and should be 2 by 4"),
        ("h", (2,), np.float32, r"'h' is of shape \(2, 3\), and should be 2"),
        ("h", (2, None), np.float64, "'h' is of type float32, and should be float64"),
        ("h", (), np.float32, "should be a single number"),
    ],
)
def test_an_array_is_held_to_its_shape_and_type(name, shape, dtype, why):
    with pytest.raises(SnapshotError, match=why):
        snapshots.require(ARRAYS, name, shape, dtype)


def test_the_array_of_any_size_is_found():
    assert snapshots.require(ARRAYS, "h", (None, 3), np.float32) is ARRAYS["h"]


def test_a_fingerprint_tells_models_apart():
    weights = {"a": np.zeros((2, 3)), "b": np.ones(1)}
    one = snapshots.fingerprint({"kind": "gru", "hidden": 3}, weights)
    assert len(one) == 64
    assert one == snapshots.fingerprint({"hidden": 3, "kind": "gru"}, dict(reversed(weights.items())))
    assert one == snapshots.fingerprint({"hidden": 3, "kind": "gru"}, weights | {"a": np.zeros((3, 2)).T})
    others = [
        ({"kind": "gru", "hidden": 4}, weights),
        ({"kind": "gru", "hidden": 3}, weights | {"a": np.zeros((3, 2))}),
        ({"kind": "gru", "hidden": 3}, weights | {"a": np.zeros((2, 3), np.float32)}),
        ({"kind": "gru", "hidden": 3}, weights | {"a": np.full((2, 3), -0.0)}),
        ({"kind": "gru", "hidden": 3}, {"a": weights["a"], "c": weights["b"]}),
    ]
    assert len({one, *(snapshots.fingerprint(*other) for other in others)}) == 6
