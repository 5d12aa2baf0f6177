"""Utterances: a search begins anew at each end, and words have times from the first frame, whatever the pieces."""

import numpy as np
import pytest

from sluicegate.tasks.transcribe.features import FRAME
from sluicegate.tasks.transcribe.search.search import Beam, Search
from sluicegate.tasks.transcribe.utterances import Utterances

TOKENS = list("abcd ")
QUIET, LOUD = -60.0, -20.0
SAID = "ab" + "." * 25 + "cd" + "." * 25


def lattice(said):
    """Of each frame its token, or "." for silence, nearly certain; and how loud it is."""
    chances = np.full((len(said), len(TOKENS) + 1), 1e-4, np.float32)
    for frame, what in zip(chances, said, strict=True):
        frame[0 if what == "." else 1 + TOKENS.index(what)] = 1 - 1e-4 * len(TOKENS)
    levels = np.array([QUIET if what == "." else LOUD for what in said], np.float32)
    return np.log(chances), levels


@pytest.mark.parametrize("size", [1, 7, len(SAID)])
def test_what_follows_a_silence_is_another_utterance(size):
    """Without an end between them the four letters would be one word."""
    rows, levels = lattice(SAID)
    utterances, words, ends = Utterances(Search(TOKENS, Beam(), frame=FRAME), 0.5), [], 0
    for begin in range(0, len(rows), size):
        told, ended = utterances.push(rows[begin : begin + size], levels[begin : begin + size])
        words, ends = words + told, ends + ended
    assert [word.text for word in words] == ["ab", "cd"]
    assert ends == (1 if size == len(SAID) else 2)
    assert words[0].begin < 2 * FRAME < words[1].begin
    assert words[1].begin == pytest.approx(SAID.index("c") * FRAME, abs=FRAME)
    assert utterances.end() == []
    assert utterances.frames == utterances.begun == len(SAID)
