"""Search finds the best text, scores it as the network does, and no text depends on its company."""

import itertools
import math

import pytest
import torch

from sluicegate.tasks.generation.network import log_probabilities
from sluicegate.tasks.generation.scores import Scores
from sluicegate.tasks.generation.search import Beam, search
from sluicegate.tasks.generation.subwords import BEGIN, END, PAD, Kinds

TOKENS = 6  # three of which say something
CELLS = ["gru", "lstm", "rnn", "mingru", "ligru"]


def kinds(tokens=TOKENS, *, begins=(), bare=(), spaces=(), slots=()):
    every = torch.arange(tokens)
    three = (torch.isin(every, torch.tensor(those, dtype=torch.int64)) for those in (begins, bare, spaces))
    return Kinds(*three, torch.tensor(slots, dtype=torch.int64))


def sources(rows, steps, tokens):
    torch.manual_seed(3)
    found = torch.randint(3, tokens, (rows, steps))
    found[:, -1] = END
    return found, torch.full((rows,), steps)


@torch.no_grad()
def worth(ensemble, source, texts):
    """Of texts of one length, the log-probabilities of the sub-words and the end, by the mean of the networks'."""
    texts = torch.tensor(texts)
    ends = torch.full((len(texts), 1), END)
    before, targets = torch.cat([torch.full_like(ends, BEGIN), texts], 1), torch.cat([texts, ends], 1)
    chances = []
    for member in ensemble.members:
        memory, states = member.read(source.expand(len(texts), -1), torch.full((len(texts),), len(source)))
        written, _ = member.write(before, memory, states)
        chances.append(log_probabilities(written, memory).exp())
    return torch.stack(chances).mean(0).log().gather(2, targets[..., None]).squeeze(2).tolist()


@pytest.mark.parametrize(("members", "penalty"), [(1, 0.0), (1, 1.0), (2, 0.6)])
def test_a_beam_that_is_wide_enough_finds_all_in_order(networks, members, penalty):
    """39 texts of one to three sub-words can be written."""
    ensemble = networks(TOKENS, members=members)
    tokens, lengths = sources(2, 4, TOKENS)
    found = search(ensemble, tokens, lengths, Beam(39, penalty, factor=0.0, further=3), kinds())
    for source, hypotheses in zip(tokens, found, strict=True):
        expected = {}
        for length in (1, 2, 3):
            texts = list(itertools.product(range(3, TOKENS), repeat=length))
            for text, chances in zip(texts, worth(ensemble, source, texts), strict=True):
                expected[text] = sum(chances) / (length + 1) ** penalty
        assert {tuple(one.tokens) for one in hypotheses} == expected.keys()
        for one in hypotheses:
            assert one.score == pytest.approx(expected[tuple(one.tokens)], rel=1e-4)
        scores = [one.score for one in hypotheses]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("width", [1, 4])
def test_what_is_found_has_the_probability_that_is_told(networks, cell, width):
    ensemble = networks(30, cell=cell)
    tokens, lengths = sources(4, 5, 30)
    for source, hypotheses in zip(tokens, search(ensemble, tokens, lengths, Beam(width), kinds(30)), strict=True):
        assert 1 <= len(hypotheses) <= width
        assert len({tuple(one.tokens) for one in hypotheses}) == len(hypotheses)
        for one in hypotheses:
            (expected,) = worth(ensemble, source, [one.tokens])
            assert one.chances == pytest.approx(expected, rel=1e-3, abs=1e-4)
            assert one.score == pytest.approx(sum(expected) / len(expected), rel=1e-3, abs=1e-4)


class Constant:
    """Writes all sub-words with probabilities that never change."""

    def __init__(self, chances):
        self.chances = chances

    def read(self, tokens, lengths):
        return self

    def follow(self, tokens):
        return Scores(self.chances.log().expand(*tokens.shape, -1).clone(), torch.zeros(tokens.shape))

    def pick(self, hypotheses):
        pass

    def leave(self, sources):
        pass


def test_two_bad_ends_are_not_the_end():
    """A text that is certain but for its end is found, though both of what else may follow end sooner."""
    certain = torch.tensor([[0.0, 0.0, 2e-4, 0.9997, 1e-4]])

    class Certain(Constant):
        steps = 0

        def follow(self, tokens):
            self.steps += 1
            chances = certain if self.steps < 6 else certain[:, [0, 1, 3, 2, 4]]
            return Scores(chances.log().expand(*tokens.shape, -1).clone(), torch.zeros(tokens.shape))

    tokens, lengths = torch.tensor([[3, END]]), torch.tensor([2])
    best, _ = search(Certain(certain), tokens, lengths, Beam(2), kinds(5))[0]
    assert best.tokens == [3] * 5


def test_one_hypothesis_is_greedy(networks):
    ensemble = networks(30)
    tokens, lengths = sources(4, 5, 30)
    for source, (one,) in zip(tokens, search(ensemble, tokens, lengths, Beam(1), kinds(30)), strict=True):
        text = []
        while True:
            member = ensemble.members[0]
            with torch.no_grad():
                memory, states = member.read(source[None], torch.tensor([5]))
                written, _ = member.write(torch.tensor([[BEGIN, *text]]), memory, states)
            chances = log_probabilities(written, memory)[0, -1]
            chances[[0, 1] if text else [0, 1, END]] = -math.inf
            best = END if len(text) == 20 else int(chances.argmax())
            if best == END:
                break
            text.append(best)
        assert one.tokens == text


ALONE = [*((cell, 16, 5) for cell in CELLS), ("gru", 64, 1), ("gru", 20, 3)]


@pytest.mark.parametrize(("cell", "hidden", "width"), ALONE)
def test_no_text_depends_on_its_company(networks, cell, hidden, width):
    ensemble = networks(300, cell=cell, hidden=hidden)
    tokens, lengths = sources(9, 7, 300)
    together = search(ensemble, tokens, lengths, Beam(width), kinds(300))
    for count in (1, 4):
        parts = [
            one
            for begin in range(0, 9, count)
            for one in search(
                ensemble, tokens[begin : begin + count], lengths[begin : begin + count], Beam(width), kinds(300)
            )
        ]
        assert parts == together
    order = torch.randperm(9)
    mixed = search(ensemble, tokens[order], lengths[order], Beam(width), kinds(300))
    assert mixed == [together[row] for row in order.tolist()]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("cell", "hidden", "members"), [("gru", 16, 1), ("lstm", 20, 1), ("gru", 64, 2)])
def test_no_text_depends_on_the_lengths_beside_it(networks, cell, hidden, members, threads):
    torch.set_num_threads(threads)
    ensemble = networks(1500, cell=cell, hidden=hidden, members=members)
    tokens, _ = sources(9, 40, 1500)
    lengths = torch.tensor([40, 3, 1, 17, 16, 7, 8, 33, 24])
    for row, length in enumerate(lengths.tolist()):
        tokens[row, length - 1 :] = torch.tensor([END] + [PAD] * (40 - length))
    together = search(ensemble, tokens, lengths, Beam(3), kinds(1500))
    for row, length in enumerate(lengths.tolist()):
        (alone,) = search(ensemble, tokens[row : row + 1, :length], lengths[row : row + 1], Beam(3), kinds(1500))
        assert alone == together[row]


def test_nothing_is_longer_than_it_may_be(networks):
    ensemble = networks(30)
    tokens, lengths = sources(6, 5, 30)
    for factor, further in ((0.0, 1), (0.0, 4), (1.0, 0), (0.5, 3)):
        most = int(5 * factor) + further
        found = search(ensemble, tokens, lengths, Beam(4, factor=factor, further=further), kinds(30))
        assert all(1 <= len(one.tokens) <= most for several in found for one in several)
        assert all(several for several in found)


def test_no_run_comes_twice(networks):
    ensemble = networks(30)
    tokens, lengths = sources(6, 8, 30)

    def runs(one, size):
        return [tuple(one.tokens[at : at + size]) for at in range(len(one.tokens) - size + 1)]

    free = search(ensemble, tokens, lengths, Beam(3, factor=4.0), kinds(30))
    assert any(len({*runs(one, 3)}) < len(runs(one, 3)) for several in free for one in several)
    for size in (1, 2, 3):
        for several in search(ensemble, tokens, lengths, Beam(3, factor=4.0, unrepeated=size), kinds(30)):
            assert several
            for one in several:
                assert len({*runs(one, size)}) == len(runs(one, size))


def test_no_more_words_than_asked_for(networks):
    ensemble, begins = networks(30), (*range(3, 12), 20)
    tokens, lengths = sources(6, 8, 30)

    def words(one):
        return 1 + sum(token in begins for token in one.tokens[1:])

    free = search(ensemble, tokens, lengths, Beam(4), kinds(30, begins=begins))
    assert max(words(one) for several in free for one in several) > 3
    for most in (1, 2, 3):
        for several in search(ensemble, tokens, lengths, Beam(4, words=most), kinds(30, begins=begins)):
            assert several
            assert max(words(one) for one in several) <= most


def test_nothing_is_blank(networks):
    """Even where a network would say nothing but a space, and at once its end."""
    ensemble = networks(12)
    with torch.no_grad():
        for member in ensemble.members:
            member.bias[[END, 4, 5]] += 50
            member.copy.bias -= 50
    tokens, lengths = sources(6, 5, 12)
    of = kinds(12, begins=(4, 7), bare=(4,), spaces=(5, 6))
    for further in (1, 2, 6):
        for several in search(ensemble, tokens, lengths, Beam(3, factor=0.0, further=further), of):
            assert several
            for one in several:
                assert {*one.tokens} - {4}
                assert not {*one.tokens} & {0, 1, END, 5, 6}
                for first, second in itertools.pairwise([*one.tokens, END]):
                    assert not (first == 4 and second in (4, 7, END))


def test_a_text_of_the_greatest_length_does_not_end_in_a_bare_mark(networks):
    """Where a network would write one whenever it may."""
    ensemble = networks(12)
    with torch.no_grad():
        for member in ensemble.members:
            member.bias[4] += 50
            member.copy.bias -= 50
    tokens, lengths = sources(6, 5, 12)
    for further in (2, 3, 6):
        for several in search(ensemble, tokens, lengths, Beam(3, factor=0.0, further=further), kinds(12, bare=(4,))):
            assert several
            for one in several:
                assert math.isfinite(one.score)
                assert one.tokens[-1] != 4


def test_a_source_that_is_done_waits_for_none(networks):
    ensemble = networks(30)
    tokens, lengths = sources(6, 5, 30)
    steps = []
    follow = type(ensemble.read(tokens, lengths)).follow

    def counted(self, last):
        steps.append(len(last))
        return follow(self, last)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sluicegate.tasks.generation.ensemble.Reading.follow", counted)
        found = search(ensemble, tokens, lengths, Beam(1), kinds(30))
    longest = [len(several[0].tokens) + 1 for several in found]
    assert steps == [sum(length > step for length in longest) for step in range(max(longest))]


def test_no_sources(networks):
    assert (
        search(
            networks(30), torch.empty(0, 3, dtype=torch.int64), torch.empty(0, dtype=torch.int64), Beam(2), kinds(30)
        )
        == []
    )


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("factor", [0.0, 2.0])
def test_every_text_has_the_slots_of_its_source(networks, width, factor):
    """Of a longest text that hardly has room for them, too."""
    ensemble, slots = networks(30), (20, 21, 22, 23)
    tokens, lengths = sources(12, 6, 20)
    for row in range(12):
        tokens[row, : row % 4] = torch.tensor(slots)[torch.arange(row % 4) % (row % 3 + 1)]
    beam = Beam(width, factor=factor, further=4)
    found = search(ensemble, tokens, lengths, beam, kinds(30, slots=slots))
    for source, hypotheses in zip(tokens.tolist(), found, strict=True):
        assert hypotheses
        for one in hypotheses:
            assert sorted(t for t in one.tokens if t in slots) == sorted(t for t in source if t in slots)
    alone = [search(ensemble, tokens[[row]], lengths[[row]], beam, kinds(30, slots=slots))[0] for row in range(12)]
    assert alone == found


def test_what_is_owed_comes_where_the_text_would_end():
    """Two slots of four share the chance of the end, and the second one has it alone."""
    chances = torch.tensor([0.0, 0.0, 0.6, 0.3, 0.04, 0.03, 0.02, 0.01])
    tokens, lengths = torch.tensor([[4, 5, END]]), torch.tensor([3])
    (one,) = search(Constant(chances), tokens, lengths, Beam(1), kinds(8, slots=(4, 5, 6, 7)))[0]
    assert one.tokens == [3, 4, 5]  # a text does not begin with its end
    assert [math.exp(chance) for chance in one.chances] == pytest.approx([0.3, 0.04 + 0.3, 0.03 + 0.6, 0.6])
