"""The fitted head of a regression: standardised ridge regression on the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglm.models.head_file import not_a_head, read_head, write_head

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PENALTY = 1.0  # scikit-learn's default `alpha`, on standardised features


@dataclass(frozen=True)
class RegressionHead:
    """`features @ weight + bias`; the standardisation is folded into both.

    `weight` float64 (d,), `bias` float64 (1,), `columns` the names of the d features. A target's scale is anything,
    so that float32 would lose digits of a price or a time stamp.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    columns: tuple[str, ...]

    @classmethod
    def fit(cls, features: NDArray[Any], targets: Sequence[float], *, columns: Sequence[str]) -> RegressionHead:
        """Fit on features of shape (n, d) and n targets."""
        import numpy as np
        from sklearn.linear_model import Ridge
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(features)
        model = Ridge(alpha=PENALTY).fit(scaler.transform(features), np.asarray(targets, dtype=np.float64))
        weight = model.coef_ / scaler.scale_
        return cls(weight, np.array([model.intercept_ - weight @ scaler.mean_]), tuple(columns))

    def values(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """(n, d) features to n numbers."""
        return features @ self.weight + self.bias

    def save(self, path: Path) -> None:
        """Write one safetensors file, the same bytes for the same head."""
        write_head(path, {"weight": self.weight, "bias": self.bias}, {"columns": self.columns})

    @classmethod
    def load(cls, path: Path) -> RegressionHead:
        """Read what `save` wrote; ModelError where it is something else."""
        arrays, metadata = read_head(path)
        try:
            return cls(arrays["weight"], arrays["bias"], tuple(metadata["columns"]))
        except KeyError as error:
            raise not_a_head(path, error) from error
