"""Text classification by a fitted head on a frozen encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autoglm.contract import Prediction
from autoglm.models import labels
from autoglm.models.encoder import TextEncoder
from autoglm.models.head import Head

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class HeadClassifier:
    """A `TextEncoder` below a `Head`."""

    def __init__(self, encoder: TextEncoder, head: Head, declared: Sequence[str] | None) -> None:
        self.labels = labels.match(head.labels, declared)
        self.pass_tokens = encoder.pass_tokens
        self._encoder = encoder
        self._head = head

    def parse(self, item: Any, index: int) -> list[int]:
        """The text's token ids."""
        return self._encoder.parse(item, index)

    def predict(self, parsed: Sequence[list[int]]) -> list[Prediction]:
        """One prediction for each text."""
        return labels.predictions(self.probabilities(parsed), self.labels)

    def probabilities(self, parsed: Sequence[list[int]]) -> NDArray[np.float32]:
        """(n, k), in the order of the labels."""
        return self._head.probabilities(self._encoder.encode(parsed))

    def tokens(self, parsed: list[int]) -> int:
        """How many tokens the text has, as the model reads it."""
        return len(parsed)
