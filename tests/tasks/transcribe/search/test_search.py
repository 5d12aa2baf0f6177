"""Prefix beam search: against sums over all paths, whatever the chunks, in little memory, and silent in silence."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.errors import ConfigError, DataError, SnapshotError
from sluicegate.tasks.transcribe.search.lexicon import Lexicon
from sluicegate.tasks.transcribe.search.search import Beam, Search
from sluicegate.tasks.transcribe.search.word_model import WordModel
from tests.tasks.transcribe.conftest import certain, exact, heard

WIDE = Beam(width=10_000, language_weight=0.7, threshold=math.inf, tokens=99, cut=math.inf, margin=math.inf)
ALPHABETS = [["a", "b"], ["a", " ", "b"], ["\u2581a", "b", "\u2581"], [" ", "a"]]
LANGUAGE = WordModel.of(["a b", "ab a", "b a b", "ba"] * 2)
LETTERS = list(" abcdefghijklmnopqrstuvwxyz")
SENTENCES = ["the cat sat on the mat", "a dog ran to the cat", "the dog sat on a cat", "a mat ran on and on"]
WORDS = WordModel.of(SENTENCES)
HOT = {"ab": 2.0, "b": -1.0, "a b": 4.0}


def found(log_probs, tokens, beam=WIDE, final=True, **models):
    search = Search(tokens, beam, **models)
    search.push(log_probs)
    return search.best(final)


def spoken(text):
    """What the language model says of a text."""
    context, total = LANGUAGE.beginning, 0.0
    for word in text.split():
        chance, context = LANGUAGE.follow(context, word)
        total += chance
    return total + LANGUAGE.end(context) if text else 0.0


def check(log_probs, tokens, bonus=lambda text: 0.0, allowed=lambda text: True, beam=WIDE, **models):
    """The best text must be that of the greatest sum, and its score that sum."""
    sums = exact(log_probs, tokens)
    worth = {text: math.log(chance) + bonus(text) for text, chance in sums.items() if chance > 0 and allowed(text)}
    told = found(log_probs, tokens, beam, **models)
    assert told.score == pytest.approx(max(worth.values()), abs=1e-6)
    assert worth[told.text] == pytest.approx(told.score, abs=1e-6)


@pytest.fixture(params=range(40))
def small(request):
    """A lattice of up to five frames and three tokens."""
    rng = np.random.default_rng(request.param)
    tokens = ALPHABETS[request.param % len(ALPHABETS)]
    chances = rng.dirichlet(np.full(len(tokens) + 1, 0.5), rng.integers(1, 6)) + 1e-9
    return np.log(chances).astype(np.float32), tokens


def test_all_paths_of_a_text_are_summed(small):
    check(*small)


def test_with_a_language_model(small):
    beam = Beam(width=10_000, language_weight=0.7, word_bonus=0.3, threshold=math.inf, tokens=99, cut=math.inf)
    check(*small, bonus=lambda text: 0.7 * spoken(text) + 0.3 * len(text.split()), beam=beam, language=LANGUAGE)


def test_with_hot_words(small):
    def bonus(text):
        total, words = 0.0, text.split()
        while words:
            said = "a b" if words[:2] == ["a", "b"] else words[0]
            total += HOT.get(said, 0.0)
            words = words[len(said.split()) :]
        return total

    check(*small, bonus=bonus, hot_words=HOT)


@pytest.mark.parametrize("lexicon", [Lexicon.words(["ab", "b"]), Lexicon.phrases(["a b", "b", "aa"])])
def test_with_a_lexicon(small, lexicon):
    check(*small, allowed=lexicon.allows, lexicon=lexicon)


def test_what_is_sure_is_told_with_times():
    told = found(certain("the cat", LETTERS), LETTERS, Beam())
    assert told.text == "the cat"
    (the, cat) = told.words
    assert (the.begin, the.end) == pytest.approx((2 * 0.03, 9 * 0.03))  # letters at frames 2, 5 and 8
    assert (cat.begin, cat.end) == pytest.approx((14 * 0.03, 21 * 0.03))
    assert the.confidence == pytest.approx(1 - 1e-4 * len(LETTERS), rel=1e-5)


def test_letters_that_come_twice_need_a_blank_between():
    assert found(certain("hello", LETTERS), LETTERS, Beam()).text == "hello"
    assert found(certain("hello", LETTERS, blanks=0), LETTERS, Beam()).text == "helo"


def test_subwords_begin_words_at_their_marks():
    tokens = ["\u2581th", "e", "\u2581cat", "\u2581", "s"]
    chances = np.full((7, 6), 1e-4)
    chances[range(7), [1, 2, 3, 5, 4, 2, 0]] = 1
    told = found(np.log(chances).astype(np.float32), tokens, Beam())
    assert told.text == "the cats e"
    assert [word.text for word in told.words] == ["the", "cats", "e"]


def test_the_language_model_tells_words_apart_that_sound_alike():
    log_probs = certain("the cat", LETTERS)
    log_probs[17, [LETTERS.index("a") + 1, LETTERS.index("u") + 1]] = np.log([0.4, 0.59])  # of "cat"
    assert found(log_probs, LETTERS, Beam()).text == "the cut"
    assert found(log_probs, LETTERS, Beam(), language=WORDS).text == "the cat"


def test_words_that_are_added():
    log_probs = certain("the cat", LETTERS)
    log_probs[17, [LETTERS.index("a") + 1, LETTERS.index("u") + 1]] = np.log([0.4, 0.59])
    search = Search(LETTERS, Beam(), language=WORDS)
    search.push(log_probs[:10])
    search.add_words(["cut"], 3.0)
    search.push(log_probs[10:])
    assert search.best(final=True).text == "the cut"
    search = Search(LETTERS, Beam(), lexicon=Lexicon.words(["the", "cat"]))
    search.add_words(["cut"])
    search.push(log_probs)
    assert search.best(final=True).text == "the cut"


def test_hot_words_win_where_they_should_and_nowhere_else():
    log_probs = certain("a cut", LETTERS)
    log_probs[11, [LETTERS.index("a") + 1, LETTERS.index("u") + 1]] = np.log([0.04, 0.95])
    assert found(log_probs, LETTERS, Beam()).text == "a cut"
    assert found(log_probs, LETTERS, Beam(), hot_words={"cat": 4.0}).text == "a cat"
    assert found(log_probs, LETTERS, Beam(), hot_words={"a cat": 4.0}).text == "a cat"
    assert found(log_probs, LETTERS, Beam(), hot_words={"cats": 4.0}).text == "a cut"  # what is begun alone counts not
    assert found(log_probs, LETTERS, Beam(), hot_words={"cat": 2.0}).text == "a cut"


def test_words_that_are_doubted_are_not_told_unless_they_are_awaited():
    log_probs = certain("a cat", LETTERS)
    log_probs[2, [LETTERS.index("a") + 1, LETTERS.index("o") + 1]] = np.log([0.35, 0.3])
    strict = Beam(least=0.4)
    assert found(log_probs, LETTERS, Beam(least=0.3)).text == "a cat"
    assert found(log_probs, LETTERS, strict).text == found(log_probs, LETTERS, strict, final=False).text == "cat"
    assert found(log_probs, LETTERS, strict, hot_words={"a": 1.0}).text == "a cat"
    assert found(log_probs, LETTERS, strict, lexicon=Lexicon.words(["a", "cat"])).text == "a cat"


@pytest.mark.parametrize("seed", range(8))
def test_a_lexicon_is_all_that_is_told(seed):
    log_probs = heard(SENTENCES[seed % 4], LETTERS, seed, sure=3.0)
    words, phrases = Lexicon.words(["the", "cat", "cats", "on", "a"]), Lexicon.phrases(SENTENCES[:2])
    for lexicon in (words, phrases):
        search = Search(LETTERS, Beam(margin=math.inf), lexicon=lexicon)
        for row in log_probs:
            search.push(row[None])
            assert lexicon.allows(search.best().text)
        assert lexicon.allows(search.best(final=True).text)


def test_what_a_grammar_does_not_have_is_rejected():
    lexicon = Lexicon.phrases(["turn on the light", "turn off the light", "stop"])
    for text in ("turn off the light", "stop"):
        assert found(certain(text, LETTERS), LETTERS, Beam(), lexicon=lexicon).text == text
    for text in ("good morning", "what is the time", "stop it", "turn on", "the light"):
        told = found(certain(text, LETTERS), LETTERS, Beam(), lexicon=lexicon)
        assert told.text == ""
        assert told.words == []
        assert told.score < 0
    words = Lexicon.words(["turn", "on", "off"])
    assert found(certain("turn it on", LETTERS), LETTERS, Beam(), lexicon=words).text == "turn on"


def test_silence_is_the_empty_text():
    silence = certain("", LETTERS, blanks=2000)
    for models in ({}, {"language": WORDS}, {"hot_words": {"cat": 9.0}}, {"lexicon": Lexicon.words(["a"])}):
        told = found(silence, LETTERS, Beam(), **models)
        assert (told.text, told.words) == ("", [])
        assert told.score == pytest.approx(2000 * math.log(1 - 1e-4 * len(LETTERS)), rel=1e-3)
    assert found(silence[:0], LETTERS, Beam()) == ("", [], 0.0)


MODELS = [
    {},
    {"language": WORDS},
    {"lexicon": Lexicon.words(["the", "cat", "sat", "on", "mat"])},
    {"lexicon": Lexicon.phrases(SENTENCES)},
    {"language": WORDS, "hot_words": {"cat": 2.0, "the mat": 3.0}},
]
NARROW = Beam(width=6)
SPEECH = np.round(heard(" ".join(SENTENCES[:2]), LETTERS, sure=4.0), 1)  # rounded: some hypotheses are equally probable


@given(models=st.sampled_from(MODELS), cuts=st.lists(st.integers(0, len(SPEECH)), max_size=6), data=st.data())
@settings(max_examples=8)
def test_any_chunks_and_snapshots_give_the_same_bits(models, cuts, data):
    whole, search, begin = Search(LETTERS, NARROW, **models), Search(LETTERS, NARROW, **models), 0
    whole.push(SPEECH)
    for cut in [*sorted(cuts), len(SPEECH)]:
        search.push(SPEECH[begin:cut])
        begin = cut
        if data.draw(st.booleans()):
            found, arrays = search.state()
            before, search = search, Search(LETTERS, NARROW, **models)
            search.restore(json.loads(json.dumps(found, allow_nan=False)), arrays)
            assert search.best() == before.best()
    assert search.best() == whole.best()
    assert search.best(final=True) == whole.best(final=True)


def test_words_that_are_settled_stay_and_can_be_taken():
    text = " ".join(SENTENCES * 2)
    search, settled = Search(LETTERS, Beam(), language=WORDS), []
    for row in heard(text, LETTERS, sure=7.0):
        search.push(row[None])
        words = search.best().words
        assert words[: len(settled)] == settled
        settled = words[: search.settled]
    assert len(settled) > 30
    whole = search.best(final=True)
    assert search.take() == whole.words[: len(settled)]
    assert search.settled == 0
    rest = search.best(final=True)
    assert rest.words == whole.words[len(settled) :]
    assert whole.text.endswith(rest.text)
    times = [time for word in whole.words for time in word[1:3]]
    assert times == sorted(times)


@pytest.mark.parametrize("models", MODELS)
def test_what_is_partial_is_what_is_best_until_now(models, monkeypatch):
    search, pause, looked = Search(LETTERS, Beam(width=6), **models), certain("", LETTERS, rest=1e-6, blanks=40), []
    best = Search.best
    for row in np.concatenate([pause, SPEECH, pause, SPEECH]):
        search.push(row[None])
        monkeypatch.setattr(Search, "best", lambda self: looked.append(0) or best(self))
        told = search.partial()
        monkeypatch.undo()
        assert told == search.best().text
        if search.settled > 2:
            search.take()
        assert search.partial() == search.best().text
    assert len(looked) < 2 * len(SPEECH) + 8  # not in pauses


def test_memory_does_not_grow(monkeypatch):
    monkeypatch.setattr("sluicegate.tasks.transcribe.search.search._MOST_ROWS", 100)
    search, sizes = Search(LETTERS, Beam(width=4), language=WORDS), []
    speech = heard(" ".join(SENTENCES), LETTERS, sure=5.0)
    noise = np.log(np.random.default_rng(0).dirichlet(np.full(28, 0.3), 300) + 1e-6).astype(np.float32)
    for part in [speech] * 3 + [noise] + [speech] * 3:
        search.push(part)
        search.take()
        state, arrays = search.state()
        sizes.append(len(json.dumps(state)) + sum(array.nbytes for array in arrays.values()))
    assert max(sizes) < 40_000  # 100 rows have 11,200 bytes


def test_a_long_text_without_spaces_is_settled_by_force(monkeypatch):
    monkeypatch.setattr("sluicegate.tasks.transcribe.search.search._MOST_ROWS", 60)
    noise = np.log(np.random.default_rng(0).dirichlet(np.full(3, 0.5), 400) + 1e-6).astype(np.float32)
    search = Search(["a", "b"], Beam(width=4))
    for row in noise:
        search.push(row[None])
        _, arrays = search.state()
        assert len(arrays["rows"]) < 60
    (word,) = search.best(final=True).words
    assert len(word.text) > 50


def test_reset_begins_anew():
    search = Search(LETTERS, Beam(), language=WORDS)
    search.push(SPEECH)
    whole = search.best(final=True)
    search.reset()
    assert search.best() == ("", [], 0.0)
    search.push(SPEECH)
    assert search.best(final=True) == whole


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((2, 5), np.float32), "the lattice has 5 columns, and there are 2 tokens: expected 3"),
        (np.full((2, 3), np.nan, np.float32), "NaN"),
        (np.full((2, 3), -np.inf, np.float32), "in which nothing is probable"),
    ],
)
def test_what_is_no_lattice(given, message):
    search = Search(["a", "b"], Beam())
    with pytest.raises(DataError, match=message):
        search.push(given)
    assert search.best() == ("", [], 0.0)


@pytest.mark.parametrize(
    "knobs",
    [
        {"width": 0},
        {"cut": -1.0},
        {"threshold": math.nan},
        {"margin": 0.0},
        {"word_bonus": math.inf},
        {"tokens": 0},
        {"least": 1.0},
    ],
)
def test_settings_out_of_range(knobs):
    (name,) = knobs
    with pytest.raises(ConfigError, match=f"`{name}` \\(="):
        Beam(**knobs)


def test_no_tokens():
    with pytest.raises(ConfigError, match="`tokens`"):
        Search([], Beam())


def test_states_that_are_none():
    search = Search(LETTERS, Beam(), language=WORDS, hot_words={"cat": 2.0})
    search.push(SPEECH)
    settings, arrays = search.state()
    other = Search(LETTERS, Beam(), language=WORDS, hot_words={"cat": 2.0})
    wrong = [({name: value}, {}) for name in settings for value in (None, 0.5, [[-1]], "a", ["x"])]
    wrong += [({}, {name: np.full_like(array, math.nan)}) for name, array in arrays.items() if array.size]
    wrong += [({}, {name: array[:0]}) for name, array in arrays.items() if name != "pieces" and array.size]
    for some, others in wrong:
        with pytest.raises(SnapshotError):
            other.restore({**settings, **some}, {**arrays, **others})
    assert other.best() == ("", [], 0.0)
    other.restore(settings, arrays)
    assert other.best() == search.best()
