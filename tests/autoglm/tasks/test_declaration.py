"""A task's file: what is read, and what a mistake in it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoglm.errors import ConfigError
from autoglm.tasks import AutoTask


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("task.yaml", "name: flowers\ntask: tabular-classification\ndata: {train: embedded/iris}\n"),
        ("task.json", '{"name": "flowers", "task": "tabular-classification", "data": {"train": "embedded/iris"}}'),
    ],
)
def test_yaml_and_json_declare_alike(tmp_path: Path, name: str, content: str) -> None:
    """A cluster's entry can be taken over with its name."""
    (tmp_path / name).write_text(content)
    task = AutoTask.from_file(tmp_path / name)
    assert task.config.name == "flowers"
    assert task.predict([5.1, 3.5, 1.4, 0.2]).label == "setosa"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.yaml", "task: embedding\nmodle: x", r"t\.yaml: modle: unknown key; did you mean 'model'"),
        ("t.yaml", "- task", r"t\.yaml: holds list; a mapping"),
        ("t.yaml", "task: [", r"t\.yaml: not valid YAML"),
        ("t.json", "{", r"t\.json: not JSON"),
        ("t.yaml", None, r"t\.yaml: .*No such file"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    """With what is wrong in it."""
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=message):
        AutoTask.from_file(tmp_path / name)


def test_yaml_runs_no_code(tmp_path: Path) -> None:
    """A tag that names a Python object is refused."""
    (tmp_path / "t.yaml").write_text(f"task: !!python/object/apply:os.mkdir [{tmp_path / 'made'}]")
    with pytest.raises(ConfigError, match="not valid YAML"):
        AutoTask.from_file(tmp_path / "t.yaml")
    assert not (tmp_path / "made").exists()
