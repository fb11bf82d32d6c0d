"""The fitted head: standardised multinomial logistic regression, for text and tables alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglm.errors import ConfigError
from autoglm.models.head_file import not_a_head, read_head, write_head
from autoglm.models.labels import softmax

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_ITERATIONS = 1000


@dataclass(frozen=True)
class Head:
    """`softmax(features @ weight + bias)`; the standardisation is folded into both.

    `weight` float32 (d, k), `bias` float32 (k,), `layers` the encoder layers that the features come from
    (empty for tables), `columns` the table's columns that they are (empty for texts).
    """

    labels: tuple[str, ...]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    layers: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls,
        features: NDArray[Any],
        labels: Sequence[str],
        *,
        inverse_penalty: float,
        layers: Sequence[int] = (),
        columns: Sequence[str] = (),
    ) -> Head:
        """Fit on features of shape (n, d); `inverse_penalty` is scikit-learn's `C` on standardised features.

        Raises ConfigError for fewer than two labels.
        """
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        if len(set(labels)) < 2:
            raise ConfigError(f"data.train: every row has the label {set(labels)}; at least two labels are needed")
        scaler = StandardScaler().fit(features)
        model = LogisticRegression(C=inverse_penalty, max_iter=MAX_ITERATIONS)
        model.fit(scaler.transform(features), list(labels))
        return cls(*_folded(scaler, model), layers=tuple(layers), columns=tuple(columns))

    def probabilities(self, features: NDArray[Any]) -> NDArray[np.float32]:
        """(n, d) features to (n, k) probabilities."""
        return softmax(features @ self.weight + self.bias)

    def save(self, path: Path) -> None:
        """Write one safetensors file, the same bytes for the same head."""
        metadata = {"labels": self.labels, "layers": self.layers, "columns": self.columns}
        write_head(path, {"weight": self.weight, "bias": self.bias}, metadata)

    @classmethod
    def load(cls, path: Path) -> Head:
        """Read what `save` wrote; ModelError where it is something else."""
        arrays, metadata = read_head(path)
        try:
            labels, layers = tuple(metadata["labels"]), tuple(metadata["layers"])
            return cls(labels, arrays["weight"], arrays["bias"], layers, tuple(metadata.get("columns", ())))
        except KeyError as error:
            raise not_a_head(path, error) from error


def _folded(scaler: Any, model: Any) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray[np.float32]]:
    import numpy as np

    coefficients, intercept = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
    if len(model.classes_) == 2:  # scikit-learn keeps one row z; softmax(-z/2, z/2) is its sigmoid
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    weight = coefficients / scaler.scale_
    bias = intercept - weight @ scaler.mean_
    labels = tuple(str(label) for label in model.classes_)
    return labels, np.ascontiguousarray(weight.T, dtype=np.float32), bias.astype(np.float32)
