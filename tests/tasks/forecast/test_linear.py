"""The closed forms: each number by hand, or by least squares on rows that stand for the penalty."""

import numpy as np
import pytest
import torch

from sluicegate.tasks.forecast.linear import RIDGES, best_ridge, known_effects


def floats(values):
    return torch.tensor(values, dtype=torch.float32)


def noise(*size, seed=0):
    return floats(np.random.default_rng(seed).normal(size=size))


def least_squares(inputs, outputs, ridge):
    """The ridge's map by a path of its own: the penalty as further rows, whose outputs are 0, and no normal equations.

    The penalty is `ridge` times the mean over the inputs of their sums of squares.
    """
    inputs, outputs = inputs.double().numpy(), outputs.double().numpy()
    width = inputs.shape[1]
    penalty = ridge * np.square(inputs).sum() / width
    rows = np.vstack([inputs, np.sqrt(penalty) * np.eye(width)])
    wanted = np.vstack([outputs, np.zeros((width, outputs.shape[1]))])
    return np.linalg.lstsq(rows, wanted, rcond=None)[0].T


# best_ridge


LINE = floats([[1.0], [2.0]]), floats([[2.0], [4.0]])
"""y = 2 x: the sum of squares is 5, the product 10, so that a ridge r gives 10 / (5 + 5 r) = 2 / (1 + r)."""


@pytest.mark.parametrize("ridge", [1e-3, 1e-2, 1e-1, 1.0])
def test_the_ridge_that_validates_best_is_taken(ridge):
    weights = best_ridge(LINE, (floats([[1.0]]), floats([[2 / (1 + ridge)]])))
    assert weights.tolist() == [[pytest.approx(2 / (1 + ridge), rel=1e-12)]]


def test_the_ridges_are_these():
    assert RIDGES == (1e-3, 1e-2, 1e-1, 1.0)


def test_errors_count_by_their_size_not_by_their_square():
    # The weights are 1.998, 1.980, 1.818 and 1. By size, two windows outvote the third (0.333 against 0.393 for 1.818);
    # by square, 1.818 would be nearest (0.245 against 0.332).
    validation = floats([[1.0], [1.0], [1.0]]), floats([[1.998], [1.998], [1.0]])
    assert best_ridge(LINE, validation).item() == pytest.approx(2 / 1.001, rel=1e-12)


def test_errors_below_and_above_do_not_cancel():
    # Of 1.998, 1.980, 1.818 and 1, the errors of the last cancel, but 1.818 has the smaller ones.
    validation = floats([[1.0], [1.0], [1.0]]), floats([[1.9], [1.9], [-0.8]])
    assert best_ridge(LINE, validation).item() == pytest.approx(2 / 1.1, rel=1e-12)


def test_one_window():
    # Of one window the map is y x' / (x'x + p), where p is the ridge times the mean square 12.5.
    window = floats([[3.0, 4.0]]), floats([[1.0]])
    expected = np.array([[3.0, 4.0]]) / (25 + 1e-3 * 12.5)
    np.testing.assert_allclose(best_ridge(window, window), expected, rtol=1e-9)


def test_many_windows_inputs_and_outputs():
    inputs, others = noise(40, 6), noise(15, 6, seed=1)
    inputs[:, 0] *= 30  # one of another size, so that the mean is neither the largest nor the median
    outputs, truth = inputs @ noise(6, 3, seed=2) + noise(40, 3, seed=3), noise(15, 3, seed=4)
    maps = [least_squares(inputs, outputs, ridge) for ridge in (1e-3, 1e-2, 1e-1, 1.0)]
    errors = [np.abs(others.double().numpy() @ weights.T - truth.numpy()).mean() for weights in maps]
    weights = best_ridge((inputs, outputs), (others, truth))
    assert (weights.shape, weights.dtype) == ((3, 6), torch.float64)
    np.testing.assert_allclose(weights, maps[int(np.argmin(errors))], rtol=1e-9)


def test_fewer_windows_than_inputs():
    inputs, outputs = noise(3, 8), noise(3, 2, seed=1)
    np.testing.assert_allclose(
        best_ridge((inputs, outputs), (inputs, outputs)), least_squares(inputs, outputs, 1e-3), rtol=1e-9
    )


@pytest.mark.parametrize("output", [0.0, 5.0])
def test_contexts_that_never_change_give_the_zero_map(output):
    inputs, outputs = torch.zeros(4, 3), torch.full((4, 2), output)
    assert best_ridge((inputs, outputs), (inputs, outputs)).tolist() == [[0.0] * 3] * 2


def test_a_target_that_never_changes_gives_the_zero_map():
    inputs = noise(10, 3)
    assert best_ridge((inputs, torch.zeros(10, 2)), (inputs, torch.zeros(10, 2))).tolist() == [[0.0] * 3] * 2


def test_of_equal_errors_the_smallest_ridge_is_taken():
    validation = torch.zeros(1, 1), torch.ones(1, 1)  # of which every map has an error of 1
    assert best_ridge(LINE, validation).item() == pytest.approx(2 / 1.001, rel=1e-12)


def test_what_is_given_stays_as_it_was():
    training = LINE[0].double(), LINE[1].double()
    best_ridge(training, training)
    assert [part.tolist() for part in training] == [[[1.0], [2.0]], [[2.0], [4.0]]]


# known_effects


def test_one_window_of_one_step():
    # The known column steps from 2 to 5, the target from 10 to 16: 3 * 6 / (9 * 1.001).
    effects = known_effects(floats([[[7.0, 2.0, 5.0]]]), floats([[4.0, 10.0]]), floats([[16.0]]))
    assert effects.tolist() == [pytest.approx(2 / 1.001, rel=1e-12)]


def test_one_window_of_several_steps():
    # Moves of 1, -2 and 4 against 3, -6 and 10: (3 + 12 + 40) / (21 * 1.001), not the mean of 3, 3 and 2.5.
    effects = known_effects(floats([[[0.0, 5.0, 6.0, 3.0, 9.0]]]), floats([[9.0, 1.0]]), floats([[4.0, -5.0, 11.0]]))
    assert effects.tolist() == [pytest.approx(55 / 21.021, rel=1e-12)]


def test_many_windows_and_columns():
    known, context, truth = noise(30, 3, 9), noise(30, 5, seed=1), noise(30, 4, seed=2)
    moves = np.array([[known[i, :, 5 + t] - known[i, :, 4] for t in range(4)] for i in range(30)], np.float32)
    change = np.array([[truth[i, t] - context[i, 4] for t in range(4)] for i in range(30)], np.float32)
    expected = least_squares(torch.tensor(moves.reshape(120, 3)), torch.tensor(change.reshape(120, 1)), 1e-3)[0]
    effects = known_effects(known, context, truth)
    assert effects.dtype == torch.float64
    np.testing.assert_allclose(effects, expected, rtol=1e-9)


def test_effects_are_found_again():
    known, context = noise(200, 2, 8), noise(200, 5, seed=1)
    moves = known[..., 5:] - known[..., 4:5]
    truth = context[:, -1:] + 3 * moves[:, 0] - 2 * moves[:, 1]
    np.testing.assert_allclose(known_effects(known, context, truth), [3, -2], rtol=2e-3)


def test_neither_levels_nor_what_was_before_the_last_step_count():
    known, context, truth = noise(20, 2, 7), noise(20, 4, seed=1), noise(20, 3, seed=2)
    effects = known_effects(known, context, truth)
    earlier = noise(20, 2, 3, seed=3), noise(20, 3, seed=4)
    other = torch.cat([earlier[0], known[..., 3:]], 2), torch.cat([earlier[1], context[:, 3:]], 1)
    assert torch.equal(known_effects(*other, truth), effects)
    shift = floats([[8.0], [-4.0]])
    np.testing.assert_allclose(known_effects(known + shift, context + 2, truth + 2), effects, rtol=1e-4)


def test_a_target_that_never_changes_is_moved_by_nothing():
    assert known_effects(noise(6, 2, 5), torch.full((6, 3), 4.0), torch.full((6, 2), 4.0)).tolist() == [0.0, 0.0]


def test_a_known_column_that_never_changes_moves_nothing():
    known = noise(50, 2, 5)
    known[:, 1] = 3.0
    first, second = known_effects(known, noise(50, 3, seed=1), noise(50, 2, seed=2)).tolist()
    assert first != 0
    assert second == 0
    assert known_effects(known[:, 1:], noise(50, 3, seed=1), noise(50, 2, seed=2)).tolist() == [0.0]
