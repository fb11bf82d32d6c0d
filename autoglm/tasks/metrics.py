"""Metrics of classifiers, computed from predicted and true labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Metric = Callable[[Sequence[str], Sequence[str]], float]


def accuracy(true: Sequence[str], predicted: Sequence[str]) -> float:
    """The part of the labels that is right."""
    return sum(t == p for t, p in zip(true, predicted, strict=True)) / len(true)


def macro_f1(true: Sequence[str], predicted: Sequence[str]) -> float:
    """The mean of the labels' F1, every label weighing the same."""
    names = sorted({*true, *predicted})
    return sum(_f1(true, predicted, name) for name in names) / len(names)


def _f1(true: Sequence[str], predicted: Sequence[str], label: str) -> float:
    hits = sum(t == p == label for t, p in zip(true, predicted, strict=True))
    return 2 * hits / (list(true).count(label) + list(predicted).count(label))


METRICS: dict[str, Metric] = {"accuracy": accuracy, "f1": macro_f1}
