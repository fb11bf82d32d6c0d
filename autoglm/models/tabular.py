"""Tabular classification by a fitted head on the columns themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autoglm.contract import Prediction
from autoglm.models import labels
from autoglm.models.head import Head
from autoglm.models.row import check_row


class TabularClassifier:
    """Rows of numbers, in the order of the features that the head was fitted on."""

    pass_tokens = None

    def __init__(self, head: Head, declared: Sequence[str] | None) -> None:
        self.labels = labels.match(head.labels, declared)
        self._head = head

    def parse(self, item: Any, index: int) -> list[float]:
        """The row as floats."""
        return check_row(item, index, len(self._head.weight))

    def predict(self, parsed: Sequence[list[float]]) -> list[Prediction]:
        """One prediction for each row."""
        import numpy as np

        if not parsed:
            return []
        return labels.predictions(self._head.probabilities(np.array(parsed)), self.labels)

    def tokens(self, parsed: list[float]) -> int:
        """One for each row."""
        return 1
