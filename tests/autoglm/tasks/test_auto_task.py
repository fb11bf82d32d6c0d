"""AutoTask: declare, fit, predict, evaluate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.model_selection import train_test_split

from autoglm.contract import Prediction
from autoglm.errors import ConfigError, UnprocessableEntityError
from autoglm.tasks import AutoTask

IRIS: dict[str, Any] = {"task": "tabular-classification", "data": {"train": "embedded/iris"}}


WriteTable = Callable[..., str]


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


@pytest.mark.parametrize("load_table", [load_iris, load_wine])
def test_flowers_and_wines_are_told_apart_on_a_held_out_third(
    write_table: WriteTable, load_table: Callable[[], Any]
) -> None:
    """Fitted on two thirds, at least 93 % right on the stratified last one, by both metrics."""
    table = load_table()
    train, test, train_labels, test_labels = train_test_split(
        table.data, table.target_names[table.target], test_size=1 / 3, stratify=table.target, random_state=0
    )
    data = {
        "train": write_table("train.csv", train, train_labels),
        "test": write_table("test.csv", test, test_labels),
    }
    scores = AutoTask.from_config({**IRIS, "data": data, "metrics": ["accuracy", "f1"]}).fit().evaluate()
    assert set(scores) == {"accuracy", "f1"}
    assert min(scores.values()) >= 0.93


def test_a_regression_beats_the_mean(write_table: WriteTable) -> None:
    """Diabetes, fitted on two thirds: on the last one the error is well below that of saying the mean."""
    table = load_diabetes()
    train, test, wanted, true = train_test_split(table.data, table.target, test_size=1 / 3, random_state=0)
    data = {"train": write_table("train.csv", train, wanted), "test": write_table("test.csv", test, true)}
    task = AutoTask.from_config({"task": "tabular-regression", "data": data}).fit()
    evaluation = task.evaluate()
    assert set(evaluation) == {"mae", "rmse", "r2"}
    assert evaluation["rmse"] < 0.8 * np.sqrt(np.mean((true - wanted.mean()) ** 2))
    answer = task.predict(test[0].tolist())
    assert evaluation.found is not None
    assert answer.value == pytest.approx(evaluation.found[0])  # a sum in another order
    assert (answer.label, answer.score) == (f"{answer.value:.6g}", 0)


def test_probabilities_are_in_the_order_of_the_labels() -> None:
    """A column for each label, a row for each input, and the predictions' own numbers."""
    task = AutoTask.from_config(IRIS)
    rows = [[5.1, 3.5, 1.4, 0.2], [6.5, 3.0, 5.5, 2.0]]
    probabilities = task.predict_proba(rows)
    assert task.labels == ("setosa", "versicolor", "virginica")
    assert probabilities.shape == (2, 3)
    assert task.predict_proba(rows[0]).shape == (3,)
    for row, answer in zip(probabilities, task.predict(rows), strict=True):
        assert dict(zip(task.labels, row.tolist(), strict=True)) == answer.scores
    assert task.predict_proba([]).shape == (0, 3)


def test_a_task_without_labels_has_no_probabilities() -> None:
    """It says so; nothing is made up."""
    with pytest.raises(ConfigError, match="no labels, and so no probabilities"):
        AutoTask.from_config({"task": "tabular-regression", "data": {"train": "embedded/diabetes"}}).predict_proba(
            [0.0] * 10
        )
    with pytest.raises(ConfigError, match=r"similarity\(\) is embedding's"):
        AutoTask.from_config(IRIS).similarity("a", "b")


def test_alike_texts_are_more_similar() -> None:
    """One pair gives a number, lists give a matrix of the same numbers."""
    task = AutoTask.from_config({"task": "embedding", "model": "embedded/minilm-l6"})
    a, b = ["a wonderful film", "the invoice is overdue"], ["a great movie", "please pay the bill", "blue"]
    matrix = task.similarity(a, b)
    assert matrix.shape == (2, 3)
    assert (matrix.argmax(axis=1) == [0, 1]).all()
    assert task.similarity(a[0], b[0]) == pytest.approx(float(matrix[0, 0]), abs=1e-5)
    assert task.similarity(a[0], a[0]) == pytest.approx(1, abs=1e-5)


def test_a_label_that_was_never_fitted_is_told_by_its_row(write_table: WriteTable) -> None:
    """Measured against it no score would mean anything."""
    test = write_table("t.csv", [[5, 3, 1, 0], [6, 3, 5, 2]], ["setosa", "rose"], columns=load_iris().feature_names)
    with pytest.raises(ConfigError, match=r"t\.csv: row 2: the label 'rose' is none that was fitted"):
        AutoTask.from_config({**IRIS, "data": {**IRIS["data"], "test": test}}).evaluate()


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
        ({**IRIS, "metrics": ["r2"]}, "metrics: tabular-classification has no 'r2'; known: accuracy"),
        ({"task": "embedding", "data": {}}, "data: neither train nor test is declared"),
        ({"task": "embedding", "fit": {"epoch": 1}}, r"fit\.epoch: unknown key; did you mean 'epochs'"),
        ({"task": "embedding", "fit": {"seed": 1}}, "fit: seed: only full fine-tuning uses it; add `method: full`"),
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
        ({"task": "tabular-classification", "data": {"test": "x.csv"}}, "fit", r"data\.train: missing"),
        ({"task": "embedding", "model": "embedded/minilm-l6"}, "fit", "task: embedding is not fitted"),
        ({"task": "embedding", "model": "embedded/minilm-l6"}, "evaluate", "task: embedding has no labels"),
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
