"""A task fitted in this process and deployed on the running cluster: the same answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine

from autoglm import AutoClient, AutoTask
from autoglm.errors import ConflictError
from tests.e2e.running_cluster import Cluster

TEXTS = ["a wonderful film", "dull and far too long", "I laughed all the way through", "a waste of an evening"]


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """A few labelled texts."""
    rows = [(text, label) for text, label in zip(TEXTS, ["good", "bad", "good", "bad"], strict=True) for _ in range(3)]
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return path


def table(path: Path, features: np.ndarray, target: np.ndarray) -> Path:
    """A CSV file of rows of numbers, with the target in the last column."""
    rows = np.column_stack([features, target])
    header = ",".join([*(f"x{index}" for index in range(features.shape[1])), "label"])
    np.savetxt(path, rows, delimiter=",", header=header, comments="", fmt="%.6g")
    return path


def test_a_text_task_gives_the_same_labels_and_scores(client: AutoClient, reviews: Path) -> None:
    """Fitted here on an encoder that the cluster has too; the second version takes the first one's place."""
    declared = {"task": "text-classification", "model": "embedded/minilm-l6", "data": {"train": str(reviews)}}
    task = AutoTask.from_config(declared).fit()
    card = task.deploy(client, "reviews")
    assert (card.version, card.status) == ("v1", "running")
    here, there = task.predict(TEXTS), client.predict("reviews", TEXTS).predictions
    assert [found.label for found in there] == [found.label for found in here]
    assert [found.score for found in there] == pytest.approx([found.score for found in here], abs=1e-6)
    assert task.deploy(client, "reviews").version == "v2"
    assert client.predict("reviews", TEXTS[:1]).version in {"v1", "v2"}
    client.admin.delete_task("reviews", "v1")
    client.admin.delete_task("reviews", "v2")


def test_a_regression_gives_the_same_numbers(client: AutoClient, tmp_path: Path) -> None:
    """And is better than always telling the mean."""
    features, target = load_diabetes(return_X_y=True)
    path = table(tmp_path / "diabetes.csv", features[:300], target[:300])
    task = AutoTask.from_config({"task": "tabular-regression", "data": {"train": str(path)}})
    task.deploy(client, "diabetes")
    rows = features[300:].tolist()
    here = np.array([found.value for found in task.predict(rows)])
    there = np.array([found.value for found in client.predict("diabetes", rows).predictions])
    np.testing.assert_allclose(there, here, rtol=1e-6)
    error = np.sqrt(np.mean((there - target[300:]) ** 2))
    assert error < 0.8 * np.sqrt(np.mean((target[:300].mean() - target[300:]) ** 2))
    client.admin.delete_task("diabetes", "v1")


def test_a_version_is_what_it_was_registered_as(client: AutoClient, tmp_path: Path) -> None:
    """The same content again is the same version; another is refused; once deleted, it is served no more."""
    features, target = load_wine(return_X_y=True)
    declared = {"task": "tabular-classification"}
    whole = table(tmp_path / "wine.csv", features, target)
    half = table(tmp_path / "half.csv", features[::2], target[::2])
    first = AutoTask.from_config(declared | {"data": {"train": str(whole)}})
    first.deploy(client, "wine", "v1")
    assert first.deploy(client, "wine", "v1").status == "running"
    with pytest.raises(ConflictError):
        AutoTask.from_config(declared | {"data": {"train": str(half)}}).deploy(client, "wine", "v1")
    client.admin.delete_task("wine", "v1")
    await_gone(client, "wine")


def await_gone(client: AutoClient, name: str) -> None:
    """Return when nothing of this name is served; the test's time limit ends a wait for nothing."""
    while any(card.id == name for card in client.models().data):
        pass


def test_the_command_line_deploys_a_task_file(cluster: Cluster, client: AutoClient, tmp_path: Path) -> None:
    """The same file that `autoglm task fit` takes."""
    features, target = load_wine(return_X_y=True)
    path = table(tmp_path / "wine.csv", features, target)
    file = tmp_path / "task.yaml"
    file.write_text(f"task: tabular-classification\nname: cellar\ndata: {{train: {path}}}\n")
    command = [str(Path(sys.executable).with_name("autoglm")), "task", "deploy", str(file)]
    subprocess.run(command, env=cluster.environment(), capture_output=True, timeout=300, check=True)
    labels = [found.label for found in client.predict("cellar", features[::20].tolist()).predictions]
    assert labels == [found.label for found in AutoTask.from_file(file).predict(features[::20].tolist())]
    client.admin.delete_task("cellar", "v1")
