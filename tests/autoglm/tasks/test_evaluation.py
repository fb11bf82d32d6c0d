"""What `evaluate()` gives, read by a program, in a notebook and as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoglm.tasks import AutoTask, Evaluation

CLASSES = Evaluation(
    {"accuracy": 0.75}, rows=4, labels=("<b>no", "yes"), confusion=np.array([[2, 1], [0, 1]], dtype=np.int64)
)
NUMBERS = Evaluation({"mae": 0.5}, rows=2, true=np.array([1.0, 2.0]), found=np.array([1.5, 1.5]))


def test_it_is_a_mapping_of_the_metrics() -> None:
    """By name, and nothing else among the names."""
    assert CLASSES["accuracy"] == 0.75
    assert dict(CLASSES) == {"accuracy": 0.75}
    assert repr(CLASSES) == "Evaluation(accuracy=0.7500, rows=4)"


def test_it_is_a_table_in_a_notebook_and_labels_stay_text() -> None:
    """Markup in a label is shown, not obeyed."""
    shown = CLASSES._repr_html_()
    assert "<td>0.7500</td>" in shown
    assert "&lt;b&gt;no" in shown
    assert "<b>" not in shown
    assert "true" not in NUMBERS._repr_html_()


def test_it_is_plain_json() -> None:
    """Counts and labels beside the metrics; a regression has none."""
    assert json.loads(json.dumps(CLASSES.to_dict())) == {
        "metrics": {"accuracy": 0.75},
        "rows": 4,
        "labels": ["<b>no", "yes"],
        "confusion_matrix": [[2, 1], [0, 1]],
    }
    assert NUMBERS.to_dict() == {"metrics": {"mae": 0.5}, "rows": 2}


@pytest.mark.parametrize("evaluation", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_it_is_drawn_into_a_file(evaluation: Evaluation, tmp_path: Path) -> None:
    """An image that is not blank."""
    with Image.open(evaluation.chart(tmp_path / "chart.png")) as image:
        assert len(image.convert("RGB").getcolors(2**24) or []) > 10


def test_the_confusion_has_a_row_for_each_true_label() -> None:
    """Its sums are the labels' rows, its diagonal what accuracy counts."""
    task = AutoTask.from_config({"task": "tabular-classification", "data": {"train": "embedded/iris"}})
    evaluation = task.evaluate("embedded/iris")
    assert evaluation.confusion is not None
    assert evaluation.confusion.sum(axis=1).tolist() == [50, 50, 50]
    assert evaluation.confusion.diagonal().sum() / evaluation.rows == evaluation["accuracy"]
    assert set(evaluation) == {"accuracy", "f1", "precision", "recall", "log_loss", "calibration_error"}
