"""The fitted head: standardised multinomial logistic regression, for text and tables alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglm.errors import ConfigError, ModelError
from autoglm.models.labels import softmax

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_ITERATIONS = 1000
_METADATA = "head"  # one key: safetensors writes several in no fixed order, and the file is to be reproducible


@dataclass(frozen=True)
class Head:
    """`softmax(features @ weight + bias)`; the standardisation is folded into both.

    `weight` float32 (d, k), `bias` float32 (k,), `layers` the encoder layers that the features come from
    (empty for tables).
    """

    labels: tuple[str, ...]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    layers: tuple[int, ...] = ()

    @classmethod
    def fit(
        cls, features: NDArray[Any], labels: Sequence[str], *, inverse_penalty: float, layers: Sequence[int] = ()
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
        return cls._folded(scaler, model, tuple(layers))

    @classmethod
    def _folded(cls, scaler: Any, model: Any, layers: tuple[int, ...]) -> Head:
        import numpy as np

        coefficients, intercept = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
        if len(model.classes_) == 2:  # scikit-learn keeps one row z; softmax(-z/2, z/2) is its sigmoid
            coefficients = np.concatenate([-coefficients, coefficients]) / 2
            intercept = np.concatenate([-intercept, intercept]) / 2
        weight = coefficients / scaler.scale_
        bias = intercept - weight @ scaler.mean_
        labels = tuple(str(label) for label in model.classes_)
        return cls(labels, np.ascontiguousarray(weight.T, dtype=np.float32), bias.astype(np.float32), layers)

    def probabilities(self, features: NDArray[Any]) -> NDArray[np.float32]:
        """(n, d) features to (n, k) probabilities."""
        return softmax(features @ self.weight + self.bias)

    def save(self, path: Path) -> None:
        """Write one safetensors file, the same bytes for the same head."""
        from safetensors.numpy import save_file

        metadata = json.dumps({"labels": self.labels, "layers": self.layers}, sort_keys=True)
        save_file({"weight": self.weight, "bias": self.bias}, path, metadata={_METADATA: metadata})

    @classmethod
    def load(cls, path: Path) -> Head:
        """Read what `save` wrote; ModelError where it is something else."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                metadata = json.loads(file.metadata()[_METADATA])
                weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
        except (SafetensorError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is no fitted head ({error}); remove it and fit again") from error
        return cls(tuple(metadata["labels"]), weight, bias, tuple(metadata["layers"]))
