"""Labels: those that a model has against those that a task declares, and scores made into predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autoglm.contract import Prediction
from autoglm.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def match(model: Sequence[str], declared: Sequence[str] | None) -> tuple[str, ...]:
    """The model's labels in the model's order, checked against the declared ones.

    Where the model never had names (`LABEL_0`, …) the declared ones are taken by position.

    Raises ConfigError where the two differ.
    """
    if declared is None:
        return tuple(model)
    if len(declared) == len(model) and all(label == f"LABEL_{i}" for i, label in enumerate(model)):
        return tuple(declared)
    if len(declared) != len(model) or set(declared) != set(model):
        raise ConfigError(
            f"labels: got {list(declared)}, but the model knows {list(model)}; declare these or leave out"
        )
    return tuple(model)


def require(declared: Sequence[str] | None) -> tuple[str, ...]:
    """The declared labels of a task that cannot do without: two or more, none twice."""
    if not declared or len(set(declared)) < 2 or len(set(declared)) < len(declared):
        raise ConfigError(f"labels: got {declared}; this task needs at least two different labels")
    return tuple(declared)


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    """Probabilities of shape (n, k) from logits of shape (n, k)."""
    import numpy as np

    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def predictions(probabilities: NDArray[Any], labels: Sequence[str], top: int | None = None) -> list[Prediction]:
    """One prediction for each row of (n, k) probabilities; `scores` best first, only the `top` best if given."""
    order = (-probabilities).argsort(axis=1, kind="stable")[:, :top]
    return [
        Prediction(
            label=labels[best[0]],
            score=float(row[best[0]]),
            scores={labels[i]: float(row[i]) for i in best},
        )
        for row, best in zip(probabilities, order, strict=True)
    ]
