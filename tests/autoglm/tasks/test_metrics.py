"""The metrics, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as reference

from autoglm.tasks import metrics


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray]:
    """200 true labels of four, the fourth never true, and probabilities that are often right."""
    generator = np.random.default_rng(0)
    true = generator.integers(0, 3, 200)
    logits = generator.normal(size=(200, 4)) + 1.5 * np.eye(4)[true]
    powers = np.exp(logits)
    return true, powers / powers.sum(axis=1, keepdims=True)


def test_classes_are_measured_as_scikit_learn_does(answers: tuple[np.ndarray, np.ndarray]) -> None:
    """Means over the labels that are true or found anywhere."""
    true, probabilities = answers
    found = probabilities.argmax(axis=1)
    expected = {
        "accuracy": reference.accuracy_score(true, found),
        "f1": reference.f1_score(true, found, average="macro"),
        "precision": reference.precision_score(true, found, average="macro", zero_division=0),
        "recall": reference.recall_score(true, found, average="macro", zero_division=0),
        "log_loss": reference.log_loss(true, probabilities, labels=range(4)),
    }
    for name, value in expected.items():
        assert metrics.CLASS_METRICS[name](true, probabilities) == pytest.approx(value), name
    np.testing.assert_array_equal(
        metrics.confusion_matrix(true, probabilities), reference.confusion_matrix(true, found, labels=range(4))
    )


def test_a_label_that_is_nowhere_weighs_nothing() -> None:
    """77 declared labels and a test set of two are not 75 failures."""
    probabilities = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    for name in ("f1", "precision", "recall"):
        assert metrics.CLASS_METRICS[name](np.array([0, 1]), probabilities) == 1


def test_calibration_is_the_gap_between_confidence_and_accuracy() -> None:
    """Ten answers of 75 %: seven right, so 5 points off; the edge of a bin belongs to the lower one."""
    true = np.array([0] * 7 + [1] * 3)
    probabilities = np.array([[0.75, 0.25]] * 10)
    assert metrics.calibration_error(true, probabilities) == pytest.approx(0.05)
    # Two bins: 0.6 with 1 of 2 right (gap 0.1), 1.0 with 2 of 2 right (gap 0).
    mixed = np.array([[0.6, 0.4], [0.6, 0.4], [1.0, 0.0], [1.0, 0.0]])
    assert metrics.calibration_error(np.array([0, 1, 0, 0]), mixed) == pytest.approx(0.05)


def test_a_right_label_of_no_probability_costs_much_and_not_infinitely() -> None:
    """One such row would hide all others."""
    assert 30 < metrics.log_loss(np.array([1]), np.array([[1.0, 0.0]])) < 40


def test_numbers_are_measured_as_scikit_learn_does() -> None:
    """Absolute error, root of the squared one, and the part of the variance that is told."""
    generator = np.random.default_rng(0)
    true = generator.normal(size=50) * 10
    found = true + generator.normal(size=50)
    assert metrics.mean_absolute_error(true, found) == pytest.approx(reference.mean_absolute_error(true, found))
    assert metrics.root_mean_squared_error(true, found) == pytest.approx(reference.root_mean_squared_error(true, found))
    assert metrics.r2(true, found) == pytest.approx(reference.r2_score(true, found))
    assert np.isnan(metrics.r2(np.ones(3), np.ones(3)))
