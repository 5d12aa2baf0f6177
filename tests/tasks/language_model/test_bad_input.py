"""What cannot be used is refused in one sentence that helps; what can be used is."""

import math

import polars as pl
import pytest

import sluicegate
from sluicegate.errors import ConfigError, DataError, StreamError


def fit(quick, data, **more):
    return sluicegate.LanguageModel(**{**quick, "epochs": 1}).fit(data, progress=False, **more)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "the table holds no texts: expected one at least with words in it"),
        (["", "  ", None], "the table holds no texts but 3 blank ones: expected one at least"),
        (None, "there are no texts: give a sequence of them, or a table"),
        ("the cat sat", "not a single text: put it into a list"),
        (["the cat", 7], "text 1 of the sequence is int: expected texts"),
        (["one line"], "there is a single line of text: expected two at least, to train and to validate on"),
        (pl.DataFrame({"body": ["a b"]}), "there is no column 'text' in the table"),
        (pl.DataFrame({"text": [1, 2]}), "column 'text' in the table is of type Int64: expected texts"),
    ],
)
def test_what_no_model_can_learn_from(data, says, quick):
    with pytest.raises(DataError) as caught:
        fit(quick, data)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_texts_are_left_out_and_told(texts, quick):
    task = fit(quick, [*texts(20), None, " "])
    assert "2 texts missing or blank were left out." in task.report.notes
    assert task.trained.words == fit(quick, texts(20)).trained.words


def test_nothing_to_apply_it_to(trained):
    for call in (trained.perplexity, trained.score, trained.predict):
        with pytest.raises(DataError, match="there are no texts"):
            call([])
    with pytest.raises(DataError, match="holds no texts"):
        trained.evaluate([" "])


def test_a_blank_text_is_the_end_of_a_line(trained):
    assert trained.score(["", None])["token"].to_list() == ["\n", "\n"]
    assert math.isfinite(trained.perplexity([""]))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"temperature": -0.1}, "`temperature` (=-0.1) must be 0, which is greedy, or a number above"),
        ({"temperature": math.nan}, "`temperature` (=nan) must be 0"),
        ({"top_p": 0.0}, "`top_p` (=0.0) must be a probability above 0 and up to 1"),
        ({"top_p": 1.5}, "`top_p` (=1.5) must be a probability above 0 and up to 1"),
        ({"top_k": 0}, "`top_k` (=0) must be a whole number from 1 up"),
        ({"seed": -1}, "`seed` (=-1) must be a whole number from 0 up"),
        ({"max_words": 0}, "`max_words` (=0) must be a whole number from 1 up"),
    ],
)
def test_how_it_cannot_be_drawn(settings, says, trained):
    with pytest.raises(ConfigError) as caught:
        trained.generate("the cat", **settings)
    assert says in str(caught.value)


def test_how_it_cannot_be_asked(trained):
    with pytest.raises(ConfigError, match=r"`beam` \(=101\) must be a whole number from 1 to 100"):
        trained.complete("the cat", beam=101)
    with pytest.raises(ConfigError, match=r"`cache` \(=-1\) must be a whole number of tokens, 0 for none"):
        trained.evaluate(["the cat"], cache=-1)
    with pytest.raises(ConfigError, match=r"`dynamic` \(=-1\) must be a learning rate, 0 for none"):
        trained.evaluate(["the cat"], dynamic=-1)
    with pytest.raises(ConfigError, match=r"`most` \(=0\) must be a whole number from 1 up"):
        trained.open_stream(most=0)
    for call in (trained.generate, trained.complete, trained.following):
        with pytest.raises(DataError, match="`prompt` is int: expected a text"):
            call(7)


def test_temperature_0_is_greedy(trained):
    assert trained.generate("the cat", temperature=0) == trained.complete("the cat", max_words=100)
    assert trained.generate("the cat", temperature=0, seed=1) == trained.generate("the cat", temperature=0, seed=2)


def test_lone_surrogates_are_read_as_question_marks(trained):
    assert trained.perplexity(["the \ud800 cat"]) == trained.perplexity(["the ? cat"])
    assert trained.complete("the \udfff", max_words=1).startswith("the ?")


def test_a_line_of_100_000_words_is_read_in_parts(trained):
    sentence = "the cat sat on the mat . "
    text = sentence * 14_300
    assert len(text.split()) > 100_000
    # Far from the beginning, where the state has come to rest, all sentences are as probable.
    few, more = (trained.predict([sentence * count])["log_probability"][0] for count in (500, 1000))
    assert trained.predict([text])["log_probability"][0] == pytest.approx(few + (more - few) / 500 * 13_800, rel=1e-4)


def test_a_prompt_longer_than_what_is_read_at_once(trained):
    prompt = " ".join(["the cat sat on the mat ."] * 200) + " the"
    written = trained.complete(prompt, max_words=3)
    assert written.startswith(prompt)
    assert 1 <= len(written[len(prompt) :].split()) <= 3


def test_what_a_stream_does_not_take(trained):
    stream = trained.open_stream()
    said = stream.push("the cat")
    before = stream.snapshot()
    for wrong in (7, b"cat", {"words": "cat"}, ["the", 7]):
        with pytest.raises(DataError, match="expected a text"):
            stream.push(wrong)
    assert stream.snapshot() == before
    stream.finish()
    with pytest.raises(StreamError):
        stream.push("sat")
    stream.reset()
    assert stream.push("the cat") == said
