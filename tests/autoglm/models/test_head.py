"""The fitted head: what it learns, and that its file gives the same head back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from autoglm.errors import ConfigError, ModelError
from autoglm.models.head import Head


@pytest.mark.parametrize("classes", [["no", "yes"], ["a", "b", "c"]])
def test_it_gives_the_pipelines_probabilities(classes: list[str]) -> None:
    """With the standardisation folded in, numpy alone computes what scikit-learn's pipeline does."""
    generator = np.random.default_rng(0)
    features = generator.normal(size=(90, 4)) * [1, 10, 100, 1] + 5
    targets = [classes[i % len(classes)] for i in range(90)]
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(features, targets)
    head = Head.fit(features, targets, inverse_penalty=0.5)
    assert head.labels == tuple(reference.classes_)
    np.testing.assert_allclose(head.probabilities(features), reference.predict_proba(features), atol=1e-4)


def test_its_file_round_trips_byte_for_byte(tmp_path: Path) -> None:
    """Labels, layers and weights come back, and the same head makes the same bytes."""
    features = np.random.default_rng(0).normal(size=(20, 3))
    head = Head.fit(features, ["x", "y"] * 10, inverse_penalty=1, layers=[0, 2])
    head.save(tmp_path / "a")
    loaded = Head.load(tmp_path / "a")
    loaded.save(tmp_path / "b")
    assert (loaded.labels, loaded.layers) == (("x", "y"), (0, 2))
    np.testing.assert_array_equal(loaded.probabilities(features), head.probabilities(features))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_that_is_no_head_is_refused(tmp_path: Path) -> None:
    """A damaged file is named, with what to do."""
    (tmp_path / "bad").write_bytes(b"\x80\x04pickle")
    with pytest.raises(ModelError, match="no fitted head"):
        Head.load(tmp_path / "bad")


def test_one_label_is_refused() -> None:
    """There is nothing to tell apart in data of a single label."""
    with pytest.raises(ConfigError, match="at least two labels"):
        Head.fit(np.zeros((3, 2)), ["a"] * 3, inverse_penalty=1)
