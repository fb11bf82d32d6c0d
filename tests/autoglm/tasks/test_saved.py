"""A saved task: it gives the same numbers elsewhere, and what was changed on the way is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from autoglm.errors import ConfigError, ModelError
from autoglm.tasks import AutoTask

ROW = [5.1, 3.5, 1.4, 0.2]
ELSEWHERE = """
import json, sys
from autoglm import AutoTask
print(json.dumps(AutoTask.load(sys.argv[1]).predict_proba(json.loads(sys.argv[2])).tolist()))
"""


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    task = AutoTask.from_config({"task": "auto", "data": {"train": "embedded/iris"}, "metrics": ["f1"]})
    return task.save(tmp_path / "saved")


def test_another_process_gives_the_same_numbers(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the folder alone: it has been moved, and the home where it was fitted is gone."""
    expected = AutoTask.load(saved).predict_proba([ROW]).tolist()
    moved = saved.rename(tmp_path / "moved")
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path / "other"))
    told = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(moved), json.dumps([ROW])], capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout) == expected
    assert not (tmp_path / "other").exists()


def test_the_declaration_comes_back(saved: Path) -> None:
    """With the type that `auto` was resolved to, and without the training data being read."""
    task = AutoTask.load(saved)
    assert (task.config.task, task.config.metrics) == ("tabular-classification", ["f1"])
    assert task.labels == ("setosa", "versicolor", "virginica")


def test_the_folder_holds_json_and_safetensors_alone(saved: Path) -> None:
    """Nothing in it can run code when it is loaded."""
    assert sorted(path.name for path in saved.iterdir()) == ["head.safetensors", "manifest.json", "task.json"]


def test_a_newer_folder_is_refused_with_what_to_do(saved: Path) -> None:
    """An unknown version is not guessed at."""
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_text(json.dumps(manifest | {"version": 2}))
    with pytest.raises(ModelError, match="its version is 2, this release reads 1; save it again"):
        AutoTask.load(saved)


@pytest.mark.parametrize("name", ["head.safetensors", "task.json", "model/config.json"])
def test_a_changed_or_added_file_is_refused(saved: Path, name: str) -> None:
    """The manifest knows every file, and each one's bytes."""
    (saved / name).parent.mkdir(exist_ok=True)
    with (saved / name).open("a") as file:
        file.write(" ")
    with pytest.raises(ModelError, match=f"{name} is not as it was saved"):
        AutoTask.load(saved)


@pytest.mark.parametrize("content", [None, "nonsense", "[]", '{"version": 1}'])
def test_a_folder_that_is_none_is_refused(tmp_path: Path, content: str | None) -> None:
    """Whatever stands in it."""
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ModelError):
        AutoTask.load(tmp_path)


def test_nothing_is_overwritten(saved: Path) -> None:
    """And a save that fails leaves nothing behind."""
    with pytest.raises(ConfigError, match="exists; remove it, or name another"):
        AutoTask.load(saved).save(saved)
    assert [path.name for path in saved.parent.iterdir() if path.name.startswith(".")] == []


def test_a_saved_task_can_be_saved_again(saved: Path, tmp_path: Path) -> None:
    """As what it was."""
    again = AutoTask.load(saved).save(tmp_path / "again")
    assert (again / "manifest.json").read_text() == (saved / "manifest.json").read_text()
