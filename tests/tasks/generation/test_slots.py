"""Slots hold out what must come through, put it back as it was, and are met in training as they are in use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.tasks.generation.slots import SLOTS, Holding, fill, hold_as

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,-'!?")
HELD = [
    ("no number", []),
    ("5 men, 12:30, 3.50 and 12,000.", ["5", "12:30", "3.50", "12,000"]),
    ("a 5-gallon A380", ["5", "380"]),
    ("Dvořák sings", ["Dvořák"]),
    ("run 😀!", ["😀!"]),
    ("3️⃣ и №5", ["3️⃣", "и", "№5"]),
    (SLOTS[3], [SLOTS[3]]),
]


@pytest.mark.parametrize(("text", "contents"), HELD)
def test_numbers_and_what_cannot_be_spelled_are_held_out(text, contents):
    held = Holding(LETTERS).hold(text)
    assert list(held.slots.values()) == contents
    assert list(held.slots) == list(SLOTS[: len(contents)])
    assert not set("".join(contents)) & set(held.text) - LETTERS - set(SLOTS)
    assert fill(held.text, held.slots) == text


@given(st.text())
def test_any_text_is_put_back(text):
    held = Holding(LETTERS).hold(text)
    again = fill(held.text, held.slots)
    assert Holding(LETTERS).hold(again) == held


def test_more_than_there_are_slots_for_stay_as_they_are():
    held = Holding(LETTERS).hold(" ".join(map(str, range(100, 130))))
    assert held.text == " ".join([*SLOTS, *map(str, range(116, 130))])


def test_a_number_is_no_part_of_another():
    assert hold_as("3.50 and 35 and 3", {SLOTS[0]: "3"}) == f"3.50 and 35 and {SLOTS[0]}"
    assert hold_as("5 or 5", {SLOTS[0]: "5"}) == f"{SLOTS[0]} or 5"


def test_pairs_have_the_slots_that_both_texts_have():
    pairs = [("der 5. von 12", "5 or 6 of 12"), ("zwei 2", "two"), ("Ski 7 7", "7 ski")]
    read, written = Holding(LETTERS).hold_pairs(*zip(*pairs, strict=True))
    one, two = SLOTS[:2]
    assert list(read) == [f"der {one}. von {two}", "zwei 2", f"Ski {one} 7"]
    assert list(written) == [f"{one} or 6 of {two}", "two", f"{one} ski"]


def test_training_meets_all_slots_and_holds_out_names_too():
    pairs = [(f"Herr Xyz{'abcdefghij'[n % 10]} hat {n}", f"Mr. Xyz{'abcdefghij'[n % 10]} has {n}") for n in range(200)]
    sources, targets = zip(*pairs, strict=True)
    read, written = Holding(LETTERS).hold_pairs(sources, targets, seed=0)
    assert (read, written) == Holding(LETTERS).hold_pairs(sources, targets, seed=0)
    assert {letter for text in read for letter in text} >= set(SLOTS)
    assert not any(letter.isdigit() for text in [*read, *written] for letter in text)
    names = sum("Xyz" not in text for text in read)
    assert 60 <= names <= 140
    for one, other in zip(read, written, strict=True):
        assert {letter for letter in one if letter in SLOTS} == {letter for letter in other if letter in SLOTS}
