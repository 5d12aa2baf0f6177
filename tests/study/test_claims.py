"""The experiments in miniature: what they are made of is right, and all of them make a page."""

import json
import re

import pytest
import torch
import torch.nn.functional as F
from typer.testing import CliRunner

from sluicegate.cli.app import app
from sluicegate.study import claims, costs, counting, digits, gradients, ladders, learning
from sluicegate.study.finding import Finding, judged, listed
from sluicegate.study.learning import Learner, Outcome, Recipe, fresh_figure, lengths
from sluicegate.study.network import CLAIMED, Network
from sluicegate.study.problems import ADDING, COPYING, adding, all_right, copying
from sluicegate.tasks.report.drawing import Picture


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_adding_problem_marks_one_number_in_each_half():
    x, sums = adding(20, 50, drawn())
    assert x.shape == (20, 50, 2)
    marks = x[..., 1]
    assert set(marks.unique().tolist()) == {0.0, 1.0}
    assert (marks[:10].sum(0) == 1).all()
    assert (marks[10:].sum(0) == 1).all()
    assert x[..., 0].min() >= 0
    assert x[..., 0].max() <= 1
    torch.testing.assert_close((x[..., 0] * marks).sum(0), sums.reshape(-1))
    many = adding(100, 20_000, drawn(1))[1]
    assert float(many.var()) == pytest.approx(ADDING.memoryless, rel=0.05)


def test_the_copy_problem_asks_for_what_it_showed():
    x, answers = copying(15, 30, drawn())
    assert x.sum(-1).eq(1).all(), "each step is one sign"
    signs = x.argmax(-1)
    torch.testing.assert_close(signs[:10], answers.reshape(10, 30) + signs[:10].min() - answers.min())
    blank = signs[10]
    assert (signs[10 : 10 + 14] == blank).all()
    assert len(answers.unique()) == 8
    right = F.one_hot(answers, 8).float()
    assert all_right(right, answers) == 1.0
    wrong = right.clone()
    wrong[3, 5] = 0.0
    wrong[3, 5, (answers[3, 5] + 1) % 8] = 1.0
    assert all_right(wrong, answers) == pytest.approx(29 / 30)


def test_lengths_double_until_the_one_that_is_asked_for():
    assert list(lengths(1000, 300)) == [300, 600, 1000]
    assert list(lengths(1000, None)) == [1000]
    assert list(lengths(20, 50)) == [20]


def test_a_learner_solves_a_short_problem_and_an_untrained_network_does_not():
    torch.manual_seed(0)
    network = Network("gru", 2, 16, 1, memory=(1, 10))
    before = fresh_figure(network, ADDING, 8, 0)
    found = Learner(network, ADDING, Recipe(rate=1e-2, start=4), 0).learn(8, budget=30.0)
    assert before > 0.1
    assert found.solved
    assert found.figure < 0.01
    assert found.sequences == 32 * found.steps


def test_a_figure_that_falls_short_after_the_looks_is_a_reason_to_train_on(monkeypatch):
    asked, learner = [], Learner(Network("gru", 2, 4, 1), ADDING, Recipe(start=None), 0)
    monkeypatch.setattr(learner, "_until", lambda *_, **__: True)  # the looks pass each time

    def figure(network, problem, length, seed):
        asked.append(seed)
        return 0.02 if len(asked) < 3 else 0.001

    monkeypatch.setattr(learning, "fresh_figure", figure)
    found = learner.learn(8, budget=30.0)
    assert found.solved
    assert found.figure == 0.001
    assert len(set(asked)) == 3, "each time on other sequences"
    asked.clear()
    assert not learner.learn(8, budget=0.0).solved
    assert len(asked) == 1


def test_the_mean_loss_is_that_of_the_length(monkeypatch):
    """What the network already does takes no more than the fewest steps to be seen."""
    learner = Learner(Network("gru", 2, 4, 1), ADDING, Recipe(start=4), 0)
    monkeypatch.setattr(learning, "fresh_figure", lambda *_: 0.001)
    steps = []
    monkeypatch.setattr(learner, "_step", lambda length: steps.append(length) or 0.001)
    assert learner.learn(16, budget=30.0).solved
    assert [steps.count(length) for length in (4, 8, 16)] == [learning._FEWEST] * 3


@pytest.mark.parametrize("kind", CLAIMED)
def test_the_sizes_of_derivatives_are_those_of_autograd(kind):
    torch.manual_seed(0)
    network = Network(kind, 2, 3, 1).double()
    x = torch.randn(6, 1, 2, dtype=torch.float64)
    found = gradients.sizes(network, x)
    assert len(found) in (6, 7)
    if kind == "lstm":
        return  # its state is two tensors, of which the derivative is taken together
    states = network.layer(x[:3])[1].detach()

    def last(state):
        return network.layer(x[3:], state)[1].reshape(-1)

    jacobian = torch.autograd.functional.jacobian(last, states).reshape(3, 3)
    # In shares of what the identity has, which is the root of the units.
    assert float(found[3]) == pytest.approx(float(jacobian.norm()) / 3**0.5, rel=1e-6)
    assert float(found[0]) == pytest.approx(1.0, rel=1e-6)


def test_lost_is_what_stays_below_a_hundredth():
    assert gradients.lost_after(torch.tensor([1.0, 0.5, 0.001, 0.02, 0.001])) == 4
    assert gradients.lost_after(torch.tensor([1.0, 0.5])) is None


def test_parameters_are_derived_as_they_are_counted():
    for kind in CLAIMED:
        layer = Network(kind, 5, 7, 1).layer
        assert costs.parameters(kind, 5, 7) == sum(weight.numel() for weight in layer.parameters())


def test_strings_are_judged_from_the_first_b_on():
    x, following = counting.strings([1, 3], 2)
    assert x.shape[1] == 2
    perfect = F.one_hot(following.clamp(min=0), int(following.max()) + 1).float()
    assert counting.read_right(perfect, following) == [True, True]
    judged_at = (following[:, 1] >= 0).nonzero().flatten()
    wrong = perfect.clone()
    wrong[judged_at[-1], 1] = wrong[judged_at[-1], 1].roll(1)
    assert counting.read_right(wrong, following) == [True, False]
    assert counting.reach([True, True, False, True]) == 2
    assert counting.reach([False, True]) == 0


def test_the_digits_are_permuted_alike_in_training_and_test():
    plain, mixed = (digits.digits(digits.QUICK, permuted=permuted) for permuted in (False, True))
    assert plain.train.shape[0] == 64
    torch.testing.assert_close(plain.train.sort(0).values, mixed.train.sort(0).values)
    assert not torch.equal(plain.train, mixed.train)
    assert torch.equal(plain.test_digits, mixed.test_digits)


def test_a_ladder_ends_where_a_layer_fails():
    size = ladders.Size(lengths=(4, 8, 16), budget=0.0)
    climbed = ladders.climb(ADDING, "RNN", size)
    assert len(climbed) == 1
    assert ladders.furthest(climbed) == 0
    copying = set(ladders.contenders(COPYING, size))
    assert copying - set(ladders.contenders(ADDING, size)) == {"GRU, memory=(1, 30)"}
    assert COPYING.memoryless < 1e-8


def test_a_layer_is_weaker_that_needs_twice_the_sequences():
    size = ladders.Size(lengths=(100,))

    def verdict(lstm, gru):
        found = {
            name: [Outcome(100, bool(k), 1.0, k, k, 1.0, 1.0)]
            for name, k in {"RNN": 0, "LSTM": lstm, "GRU": gru}.items()
        }
        return ladders._finding(COPYING, size, [], found, Picture("", "", "")).verdict

    assert verdict(1000, 1400) == "holds in part"  # lost beyond a few hundred steps, for none is longer
    assert verdict(1000, 2000) == "holds"
    assert verdict(1000, 0) == "holds"
    assert verdict(0, 1000) == "holds in part"


def test_a_verdict_is_that_of_its_parts():
    assert judged(True, True) == "holds"
    assert judged(True, False) == "holds in part"
    assert judged(False) == "does not hold"
    assert listed(["a", "b"]) == "a and b"
    lines = list(
        Finding("x", "A title", "It is said.", "Done so.", [["a"], ["1"]], "holds", "Because.").lines("images")
    )
    assert "> It is said." in lines
    assert "| 1 |" in lines


def test_where_nothing_can_be_written_nothing_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "_run", lambda *_: pytest.fail("it began the work"))
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, ["study", "claims", "--quick", "--out", str(tmp_path / "file")])
    assert done.exit_code == 1
    assert "error: cannot save to" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_all_claims_make_a_page(tmp_path):
    done = CliRunner().invoke(app, ["study", "claims", "--quick", "--out", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert len(said) == len(claims.ORDER) == len(claims.EXPERIMENTS)
    assert {finding["verdict"] for finding in said} <= {"holds", "holds in part", "does not hold"}
    page = (tmp_path / "claims.md").read_text()
    pictures = re.findall(r"\]\((images/claims/[^)]+)\)", page)
    assert len(pictures) >= 5
    assert all("<svg" in (tmp_path / picture).read_text() for picture in pictures)
    anchors = re.findall(r"\]\(#([^)]+)\)", page)
    headings = {claims._anchor(line[3:]) for line in page.splitlines() if line.startswith("## ")}
    assert len(anchors) == len(said)
    assert set(anchors) <= headings
