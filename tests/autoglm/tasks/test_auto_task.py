"""AutoTask: declare, fit, predict, evaluate."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

from autoglm.contract import Prediction
from autoglm.errors import ConfigError, UnprocessableEntityError
from autoglm.tasks import AutoTask

IRIS = {"task": "tabular-classification", "data": {"train": "embedded/iris"}}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def write_table(path: Path, rows: Any, labels: Any) -> str:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "d", "label"])
        writer.writerows([*row, label] for row, label in zip(rows, labels, strict=True))
    return str(path)


def test_the_readme_example_predicts() -> None:
    """The first example of the README, as printed there."""
    task = AutoTask.from_config(
        {
            "task": "text-classification",
            "model": "embedded/minilm-l6-sst2",
            "labels": ["positive", "negative"],
        }
    )
    answer = task.predict("I love this new framework!")
    assert isinstance(answer, Prediction)
    assert answer.label == "positive"
    assert 0.5 < answer.score < 1


def test_iris_is_told_apart_on_a_held_out_third(tmp_path: Path) -> None:
    """Fitted on two thirds, at least 93 % right on the stratified last one, by both metrics."""
    iris = load_iris()
    train, test, train_labels, test_labels = train_test_split(
        iris.data, iris.target_names[iris.target], test_size=1 / 3, stratify=iris.target, random_state=0
    )
    data = {
        "train": write_table(tmp_path / "train.csv", train, train_labels),
        "test": write_table(tmp_path / "test.csv", test, test_labels),
    }
    scores = AutoTask.from_config({**IRIS, "data": data, "metrics": ["accuracy", "f1"]}).fit().evaluate()
    assert set(scores) == {"accuracy", "f1"}
    assert min(scores.values()) >= 0.93


def test_a_list_gives_a_list_and_one_gives_one() -> None:
    """A row is one input, a list of rows several."""
    task = AutoTask.from_config(IRIS)
    row = [5.1, 3.5, 1.4, 0.2]
    assert task.predict(row).label == "setosa"
    assert [p.label for p in task.predict([row, [6.5, 3.0, 5.5, 2.0]])] == ["setosa", "virginica"]


def test_one_bad_row_of_many_is_named() -> None:
    """In-process the error is the one that a cluster would answer with."""
    with pytest.raises(UnprocessableEntityError) as caught:
        AutoTask.from_config(IRIS).predict([[1, 2, 3, 4], [1, 2, float("nan"), 4]])
    assert caught.value.param == "inputs[1][2]"


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"task": "embedding", "modle": "x"}, "modle: unknown key; did you mean 'model'"),
        ({"task": "embedding", "data": {"train": "x", "tests": "y"}}, r"data\.tests: unknown key; did you mean 'test'"),
        ({"task": "embeding"}, "task: .*got 'embeding'"),
        ({}, "task: Field required"),
        ({"task": "embedding", "metrics": ["acuracy"]}, "metrics: .*did you mean 'accuracy'"),
    ],
)
def test_a_wrong_declaration_is_explained(declared: dict[str, Any], message: str) -> None:
    """The key is named, and the nearest known one for a slip."""
    with pytest.raises(ConfigError, match=message):
        AutoTask.from_config(declared)


@pytest.mark.parametrize(
    ("declared", "call", "message"),
    [
        ({"task": "tabular-classification"}, "fit", r"data: missing; fit\(\)"),
        ({"task": "tabular-classification"}, "evaluate", r"data: missing; evaluate\(\)"),
        (IRIS, "evaluate", r"data\.test: missing"),
        ({**IRIS, "model": "forest"}, "fit", "model: got 'forest'; .*'logistic'"),
        ({**IRIS, "labels": ["a", "b", "c"]}, "fit", "labels: got"),
    ],
)
def test_what_cannot_be_done_says_what_is_missing(declared: dict[str, Any], call: str, message: str) -> None:
    """Fitting needs data, evaluation needs other data, and both must fit the declaration."""
    task = AutoTask.from_config(declared)
    with pytest.raises(ConfigError, match=message):
        getattr(task, call)()


def test_a_task_is_declared_without_loading(home: Path) -> None:
    """Nothing is prepared before the first use, and repr says what the task is."""
    task = AutoTask.from_config({"task": "embedding", "model": "embedded/minilm-l6"})
    assert repr(task) == "AutoTask('embedding', model='embedded/minilm-l6')"
    assert not home.exists()
