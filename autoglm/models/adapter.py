"""What every model looks like to its callers: parse one input, predict many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from autoglm.contract import Prediction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Outputs = list[Prediction] | list[str] | NDArray[np.float32]


class Adapter(Protocol):
    """A loaded model.

    `parse` and `predict` are apart so that a server can refuse one caller's bad input
    before it shares a batch with another caller's good one.
    """

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The labels in the order of the scores; None where the model does not classify."""

    @property
    def pass_tokens(self) -> int | None:
        """How many tokens are best computed at once, on one core; None: as many inputs as there are, on all cores."""

    def parse(self, item: Any, index: int) -> Any:
        """Check and decode one input; the result is opaque and goes to `predict` and `tokens`.

        Raises UnprocessableEntityError with `param="inputs[index]"` where the input cannot be used.
        """

    def predict(self, parsed: Sequence[Any]) -> Outputs:
        """One answer for each parsed input, in their order.

        Classifiers give `Prediction`s, embedders float32 of shape (n, d), generators texts.
        """

    def tokens(self, parsed: Any) -> int:
        """What an input counts for in `usage`: tokens of a text, 1 for anything else."""


@runtime_checkable
class Classifier(Adapter, Protocol):
    """An adapter that has labels, and a probability for each."""

    def probabilities(self, parsed: Sequence[Any]) -> NDArray[np.float32]:
        """(n, k) probabilities of the k labels, in their order."""


@runtime_checkable
class TableAdapter(Adapter, Protocol):
    """An adapter that takes rows of a table."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of a row's numbers, in their order."""
