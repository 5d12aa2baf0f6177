"""Word vectors are read from any of the three kinds of text file, a line at a time, and faults are named."""

import gzip
import tracemalloc

import numpy as np
import pytest

from sluicegate.data.vectors import VectorFile
from sluicegate.errors import DataError

NUMBERS = {"film": [0.5, -1.25, 3e-2], "Great": [1, 2, 3], "great": [4, 5, 6], "it's": [-0.1, 0.2, 0.3]}
LINES = [f"{word} {' '.join(map(str, numbers))}" for word, numbers in NUMBERS.items()]
KINDS = {
    "glove": "\n".join(LINES) + "\n",
    "word2vec": f"{len(LINES)} 3\n" + "".join(f"{line} \n" for line in LINES),
    "without an end": "\n".join(LINES),
    "of Windows": f"\ufeff{len(LINES)} 3\r\n" + "".join(f"{line}\r\n" for line in LINES),
    "with tabs": "\n".join(line.replace(" ", "\t", 1) for line in LINES),
}


def written(folder, content):
    path = folder / "vectors.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder, content, wanted=("film", "great", "it's", "dull"), lowercase=True):
    found = VectorFile(written(folder, content)).of(wanted, lowercase=lowercase)
    return dict(zip(found.words, found.values, strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_kind_of_file(tmp_path, kind, packed):
    content = KINDS[kind].encode()
    found = read(tmp_path, gzip.compress(content) if packed else content)
    assert list(found) == ["film", "great", "it's"]
    for word, values in found.items():
        np.testing.assert_array_equal(values, np.array(NUMBERS[word], dtype=np.float32))


def test_the_exact_word_comes_before_another_case_and_the_first_before_a_repetition(tmp_path):
    content = "FILM 1\nFilm 2\nGREAT 3\ngreat 4\ngreat 5\n"
    assert {w: v.tolist() for w, v in read(tmp_path, content).items()} == {"film": [1.0], "great": [4.0]}
    assert list(read(tmp_path, content, lowercase=False)) == ["great"]
    assert list(read(tmp_path, content, wanted=["Film"], lowercase=False)) == ["Film"]


def test_letters_that_are_written_in_two_ways_are_alike(tmp_path):
    assert list(read(tmp_path, "cafe\u0301 1 2\n", wanted=["caf\u00e9"])) == ["caf\u00e9"]


def test_a_word_may_have_spaces_in_it(tmp_path):
    content = ". . . 1 2 3\nto name@domain.com 4 5 6\nfilm 7 8 9\n  . 1 1 1\n\n"
    found = read(tmp_path, content, wanted=[". . .", "to name@domain.com", "film"])
    assert {word: values.tolist() for word, values in found.items()} == {
        ". . .": [1, 2, 3],
        "to name@domain.com": [4, 5, 6],
        "film": [7, 8, 9],
    }


def test_a_word_of_zeros_has_no_vector(tmp_path):
    assert list(read(tmp_path, "film 0 0\ngreat 0 1\n")) == ["great"]


def test_a_broken_word_among_many_is_passed_over(tmp_path):
    lines = [b"word%d 1 2\n" % number for number in range(200)]
    lines[7] = b"caf\xc3 1 2\n"
    assert list(read(tmp_path, b"".join(lines), wanted=["word3", "word199"])) == ["word3", "word199"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("film 1 2 3\ngreat 1 2\n", "line 2 holds 2 numbers behind the word: expected 3 as before; correct"),
        ("film 1 2\nother 1 2 3\n", "line 2 holds 3 numbers behind the word: expected 2 as before; correct"),
        ("3 2\nfilm 1 2\nother\ngreat 1 2", "line 3 holds no numbers behind the word: expected 2"),
        ("film 1 2\nother a b\n", "line 2 holds no numbers behind the word: expected 2"),
        ("the film is great\n", "line 1 holds no numbers: expected a word and its numbers"),
        ("film 1 2\ngreat x 2\n", "line 2 holds 'x' where a number was expected; correct or remove it"),
        ("film 1 2\ngreat 1 nan\n", "line 2 holds nan: expected finite numbers of 32 bits; correct or remove it"),
        ("film 1 2\ngreat -inf 2\n", "line 2 holds -inf: expected finite numbers"),
        ("film 1 2\ngreat 1e39 2\n", "line 2 holds 1e39: expected finite numbers"),
        (b"film 1 2\ncaf\xe9 1 2\n", r"line 2 is not UTF-8 \(1 such lines of 2\): save the file as UTF-8"),
        ("film 1 2\n".encode("utf-16"), "line 1 is not UTF-8: convert it by `iconv -f utf-16"),
        ("", "is empty: expected a word and its numbers in each line"),
        ("\n \n", "is empty"),
        (
            b"2 2\nfilm " + np.array([0.5, 1], "<f4").tobytes() + b"\n",
            "line 2 is not text, .* save the vectors as text",
        ),
        (b"\xba\x16\x4f\x2f\x0c\x00\x00\x00", "line 1 is not text, as in a binary file"),
        (b"PK\x03\x04abc", "is a zip archive: unpack it"),
        (gzip.compress(b"film 1 2\n" * 1000, mtime=0)[:-9], "is a damaged gzip file .*: fetch it again"),
        ("5 2\nfilm 1 2\ngreat 1 2\n", "line 3 is the last, after 2 words, where line 1 says that there are 5"),
        ("1000000 99999999999\nfilm 1 2", "line 1 asks for 99,999,999,999 numbers a word: expected 1 to 4,096"),
        ("2 0\nfilm\n", "line 1 asks for 0 numbers a word"),
        ("film" + " 1" * 5000, "line 1 asks for 5,000 numbers a word"),
        ("film 1 2\n" + "x" * 300_000 + " 1 2", "line 2 is longer than 262,144 bytes"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(tmp_path, content, words):
    with pytest.raises(DataError, match=words) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(str(tmp_path / "vectors.txt"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="not there or is not a file: give the path"):
        VectorFile(tmp_path / "none.txt")
    with pytest.raises(DataError, match="not there or is not a file"):
        VectorFile(tmp_path)


def test_a_large_file_is_never_held_in_memory(tmp_path):
    path, line = tmp_path / "large.vec", " " + " ".join([f"0.{10**59}"] * 300) + "\n"
    with path.open("w") as file:
        file.write("5000 300\n")
        file.writelines(f"word{number}{line}" for number in range(5_000))
    assert path.stat().st_size > 90e6
    wanted = [f"word{number}" for number in range(0, 5_000, 50)]
    tracemalloc.start(1)
    try:
        found = VectorFile(path).of(wanted, lowercase=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        path.unlink()
    assert found.values.shape == (100, 300)
    assert peak < 2e6
