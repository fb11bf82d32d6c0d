"""Metrics of classifiers, from true labels and probabilities, and of regressions, from true and told numbers.

n inputs, k labels: `true` holds label indices of shape (n,), `probabilities` has shape (n, k).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CALIBRATION_BINS = 10
LEAST_PROBABILITY = 1e-15  # a loss stays finite where the right label was given none

ClassMetric = Callable[["NDArray[np.int64]", "NDArray[Any]"], float]
NumberMetric = Callable[["NDArray[np.float64]", "NDArray[np.float64]"], float]


def accuracy(true: NDArray[np.int64], probabilities: NDArray[Any]) -> float:
    """The part of the inputs whose likeliest label is the right one."""
    return float((probabilities.argmax(axis=1) == true).mean())


def precision(true: NDArray[np.int64], probabilities: NDArray[Any]) -> float:
    """The mean over labels of the part of its findings that is right; 0 for a label that was never found."""
    hits, found, _ = _counts(true, probabilities)
    return float(_ratio(hits, found).mean())


def recall(true: NDArray[np.int64], probabilities: NDArray[Any]) -> float:
    """The mean over labels of the part of its inputs that was found; 0 for a label that no input has."""
    hits, _, there = _counts(true, probabilities)
    return float(_ratio(hits, there).mean())


def macro_f1(true: NDArray[np.int64], probabilities: NDArray[Any]) -> float:
    """The mean of the labels' F1, every label weighing the same."""
    hits, found, there = _counts(true, probabilities)
    return float(_ratio(2 * hits, found + there).mean())


def log_loss(true: NDArray[np.int64], probabilities: NDArray[Any]) -> float:
    """The mean of -log p(right label), in nats."""
    import numpy as np

    right = probabilities[np.arange(len(true)), true].astype(np.float64)
    return float(-np.log(right.clip(min=LEAST_PROBABILITY)).mean())


def calibration_error(true: NDArray[np.int64], probabilities: NDArray[Any]) -> float:
    """The expected calibration error over ten bins of equal width (Guo et al., 2017)."""
    import numpy as np

    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == true
    bins = (np.ceil(confidence * CALIBRATION_BINS) - 1).clip(0, CALIBRATION_BINS - 1).astype(int)
    gaps = np.bincount(bins, weights=right - confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(true))


def confusion_matrix(true: NDArray[np.int64], probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """(k, k) counts: a row for each true label, a column for each one found."""
    import numpy as np

    k = probabilities.shape[1]
    return np.bincount(true * k + probabilities.argmax(axis=1), minlength=k * k).reshape(k, k)


def mean_absolute_error(true: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """The mean distance."""
    return float(abs(true - found).mean())


def root_mean_squared_error(true: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """The root of the mean squared distance."""
    return float(((true - found) ** 2).mean() ** 0.5)


def r2(true: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """The part of the variance that is told; 0 for who always says the mean. NaN where all true numbers are equal."""
    variance = float(((true - true.mean()) ** 2).sum())
    return 1 - float(((true - found) ** 2).sum()) / variance if variance else float("nan")


def _counts(true: NDArray[np.int64], probabilities: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Hits, findings and inputs of each label that is true or found anywhere."""
    matrix = confusion_matrix(true, probabilities)
    hits, found, there = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)
    seen = found + there > 0
    return hits[seen], found[seen], there[seen]


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    return part / whole.clip(min=1)


CLASS_METRICS: dict[str, ClassMetric] = {
    "accuracy": accuracy,
    "f1": macro_f1,
    "precision": precision,
    "recall": recall,
    "log_loss": log_loss,
    "calibration_error": calibration_error,
}
NUMBER_METRICS: dict[str, NumberMetric] = {
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "r2": r2,
}
ALL_METRICS = (*CLASS_METRICS, *NUMBER_METRICS)


def known_metrics(task: str) -> tuple[str, ...]:
    """The metrics of a type of task."""
    if task == "tabular-regression":
        return tuple(NUMBER_METRICS)
    return tuple(CLASS_METRICS) if task.endswith("classification") else ()
