"""Tabular tasks by a fitted head on the columns themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autoglm.contract import Prediction
from autoglm.models import labels
from autoglm.models.head import Head
from autoglm.models.regression_head import RegressionHead
from autoglm.models.row import check_row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TabularClassifier:
    """Rows of numbers, in the order of the `columns` that the head was fitted on."""

    pass_tokens = None

    def __init__(self, head: Head, declared: Sequence[str] | None) -> None:
        self.labels = labels.match(head.labels, declared)
        self.columns = head.columns
        self._head = head

    def parse(self, item: Any, index: int) -> list[float]:
        """The row as floats."""
        return check_row(item, index, len(self._head.weight))

    def predict(self, parsed: Sequence[list[float]]) -> list[Prediction]:
        """One prediction for each row."""
        return labels.predictions(self.probabilities(parsed), self.labels)

    def probabilities(self, parsed: Sequence[list[float]]) -> NDArray[np.float32]:
        """(n, k), in the order of the labels."""
        return self._head.probabilities(_matrix(parsed, len(self._head.weight)))

    def tokens(self, parsed: list[float]) -> int:
        """One for each row."""
        return 1


class TabularRegressor:
    """The same for numbers to be told: an answer's `value`."""

    pass_tokens = None
    labels = None

    def __init__(self, head: RegressionHead) -> None:
        self.columns = head.columns
        self._head = head

    def parse(self, item: Any, index: int) -> list[float]:
        """The row as floats."""
        return check_row(item, index, len(self._head.weight))

    def predict(self, parsed: Sequence[list[float]]) -> list[Prediction]:
        """One prediction for each row."""
        values = self._head.values(_matrix(parsed, len(self._head.weight))).tolist()
        return [Prediction(label=f"{value:.6g}", score=0.0, value=value) for value in values]

    def tokens(self, parsed: list[float]) -> int:
        """One for each row."""
        return 1


def _matrix(rows: Sequence[list[float]], width: int) -> NDArray[np.float64]:
    import numpy as np

    return np.array(rows, dtype=np.float64).reshape(len(rows), width)
