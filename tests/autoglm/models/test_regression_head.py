"""The head of a regression: what it learns, and that its file gives the same head back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from autoglm.errors import ModelError
from autoglm.models.head import Head
from autoglm.models.regression_head import RegressionHead


def example() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(60, 3)) * [1, 100, 0.01] + 7
    return features, features @ [2, 0.1, 30] + generator.normal(size=60)


def test_it_gives_the_pipelines_numbers() -> None:
    """With the standardisation folded in, numpy alone computes what scikit-learn's pipeline does."""
    features, targets = example()
    reference = make_pipeline(StandardScaler(), Ridge()).fit(features, targets)
    head = RegressionHead.fit(features, targets.tolist(), columns=["a", "b", "c"])
    np.testing.assert_allclose(head.values(features), reference.predict(features), rtol=1e-9)


def test_a_column_that_never_changes_is_no_obstacle() -> None:
    """Its scale is nought; it weighs nothing."""
    features, targets = example()
    features[:, 1] = 5
    head = RegressionHead.fit(features, targets.tolist(), columns=["a", "b", "c"])
    assert np.isfinite(head.values(features)).all()
    assert head.weight[1] == 0


def test_its_file_round_trips(tmp_path: Path) -> None:
    """Columns and weights come back, to the last digit."""
    features, targets = example()
    head = RegressionHead.fit(features, targets.tolist(), columns=["a", "b", "c"])
    head.save(tmp_path / "h")
    loaded = RegressionHead.load(tmp_path / "h")
    assert loaded.columns == ("a", "b", "c")
    np.testing.assert_array_equal(loaded.values(features), head.values(features))


def test_a_classifiers_head_and_a_damaged_file_are_refused(tmp_path: Path) -> None:
    """Neither is silently taken for the other."""
    features, targets = example()
    RegressionHead.fit(features, targets.tolist(), columns=["a", "b", "c"]).save(tmp_path / "numbers")
    with pytest.raises(ModelError, match="no fitted head"):
        Head.load(tmp_path / "numbers")
    (tmp_path / "bad").write_bytes(b"\x80\x04pickle")
    with pytest.raises(ModelError, match="no fitted head"):
        RegressionHead.load(tmp_path / "bad")
