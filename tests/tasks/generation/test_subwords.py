"""Sub-words come back as the text that they were cut from, in any script."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.tasks.generation.subwords import BEGIN, END, FIRST, PAD, SPECIAL, Subwords, suitable

LETTERS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=12)


def normal(text):
    """What a text is beside its spaces, in NFC."""
    import unicodedata

    return " ".join(unicodedata.normalize("NFC", text).split())


@given(st.lists(LETTERS, max_size=6))
def test_any_text_comes_back(words):
    cut = Subwords.of(["a few plain words, seen in training 12"], 50)
    text = " ".join(words).replace("\u2581", "")
    assert cut.decode(cut.encode([text])[0]) == normal(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ein Hund rennt.",
        "WHO said: 3.14 (or 22/7)?",
        "😀👩‍👩‍👧 🇩🇪",
        "فيلم جميل",
        "שלום עולם",
        "映画は素晴らしい",
        "สวัสดี",
        "ɐ𝕏𐍈",
        "<pad> <begin> <end> <0x41>",
        "e\u0301",
        "a\u0000b",
        "can't -- won't",
    ],
)
def test_texts_unlike_those_of_training(subwords, text):
    assert subwords.decode(subwords.encode([text])[0]) == normal(text)


def test_what_was_never_seen_is_spelled_in_bytes(subwords):
    tokens = subwords.encode(["犬"])[0]
    assert [token for token in tokens if token < FIRST] == [len(SPECIAL) + byte for byte in "犬".encode()]
    assert subwords.decode(tokens) == "犬"


def test_bytes_that_are_no_text_are_decoded_all_the_same(subwords):
    half = [len(SPECIAL) + byte for byte in "犬".encode()[:2]]
    assert "\ufffd" in subwords.decode([*subwords.encode(["dog"])[0], *half])


def test_frequent_words_are_whole_and_begin_with_their_space(subwords):
    (tokens,) = subwords.encode(["The dog sleeps"])
    assert len(tokens) == 3
    assert all(subwords.begins_word(token) for token in tokens)
    kinds = subwords.kinds
    assert kinds.begins[tokens].all()
    assert not kinds.begins[:FIRST].any()


def test_digits_and_marks_stand_alone(subwords):
    (tokens,) = subwords.encode(
        [
            "2024.",
        ]
    )
    assert [subwords.decode([token]) for token in tokens if subwords.decode([token])] == ["2", "0", "2", "4", "."]


def test_special_ones_say_nothing_and_are_never_read(subwords):
    assert (PAD, BEGIN, END) == (0, 1, 2)
    assert subwords.decode([PAD, BEGIN, *subwords.encode(["A dog"])[0], END]) == "A dog"
    assert min(subwords.encode(["<end><pad>"])[0]) >= len(SPECIAL)


def test_spaces_are_one(subwords):
    assert subwords.encode(["  A \t dog\n\nruns "]) == subwords.encode(["A dog runs"])
    assert subwords.encode(["", " \n"]) == [[], []]


def test_more_sub_words_than_the_texts_have():
    cut = Subwords.of(["a dog", "a cat"], 5000)
    assert FIRST < len(cut) < FIRST + 30
    assert cut.decode(cut.encode(["a dog"])[0]) == "a dog"


def test_kinds(subwords):
    kinds = subwords.kinds
    (bare,) = kinds.bare.nonzero().flatten().tolist()
    assert subwords.encode(["犬"])[0][0] == bare
    assert kinds.begins[bare]
    assert subwords.decode([bare]) == ""
    said = [subwords.decode([token]) for token in kinds.spaces.nonzero().flatten().tolist()]
    assert " " in said
    assert "\n" in said
    others = [subwords.decode([token]) for token in range(len(SPECIAL), len(subwords)) if token != bare]
    assert [text for text in others if not text.strip()] == [text for text in said if not text.strip()]


def test_no_texts_at_all():
    cut = Subwords.of([], 100)
    assert cut.decode(cut.encode(["still spelled"])[0]) == "still spelled"


def test_the_form_on_disk(subwords, texts):
    again = Subwords.from_json(subwords.to_json())
    assert again.encode(texts) == subwords.encode(texts)
    assert len(again) == len(subwords)
    with pytest.raises(ValueError, match="no tokenizer"):
        Subwords.from_json("{}")


def test_every_run_finds_the_same():
    """The library keeps letters in hash tables, whose order is another one in each process."""
    code = (
        "import hashlib; from sluicegate.tasks.generation.subwords import Subwords\n"
        "texts = [chr(0x4E00 + i) + chr(0x4E00 + 7 * i % 300) + ' dog' * (i % 3) for i in range(300)]\n"
        "found = [Subwords.of(texts, size).to_json() for size in (40, 100, 3000)]\n"
        "print(hashlib.sha256(''.join(found).encode()).hexdigest())"
    )
    found = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(found) == 1


def test_long_texts_are_cut_at_sentences_then_at_words(subwords):
    (tokens,) = subwords.encode(["A dog runs. The cat sleeps 3.5 in the snow! A dog sleeps"])
    parts = subwords.sentences(tokens, 40)
    assert [token for part in parts for token in part] == tokens
    assert [subwords.decode(part) for part in parts] == [
        "A dog runs.",
        "The cat sleeps 3.5 in the snow!",
        "A dog sleeps",
    ]
    (tokens,) = subwords.encode(["sleepsdog in " * 50])
    parts = subwords.sentences(tokens, 7)
    assert max(map(len, parts)) <= 7
    assert " ".join(subwords.decode(part) for part in parts) == ("sleepsdog in " * 50).strip()
    (tokens,) = subwords.encode(["x" * 100])  # nowhere to cut
    parts = subwords.sentences(tokens, 30)
    assert [token for part in parts for token in part] == tokens
    assert max(map(len, parts)) == 30
    assert subwords.sentences([], 5) == []


def test_how_many_suit_follows_the_words():
    assert suitable(0) == suitable(100) == 1000
    assert suitable(700_000) == 6000
    assert suitable(4 * 700_000) == 12_000
    assert suitable(10**12) == 32_000
