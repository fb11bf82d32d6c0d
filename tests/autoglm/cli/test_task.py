"""`autoglm task …`: a file's task, fitted and used without a cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Run = Callable[..., Any]

TABLE = "width,kind\n" + "".join(f"{i % 7 + 10 * (i % 2)},{'wide' if i % 2 else 'narrow'}\n" for i in range(40))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(TABLE)
    path = tmp_path / "task.yaml"
    path.write_text(f"task: auto\ndata: {{train: {tmp_path}/t.csv, test: {tmp_path}/t.csv, label: kind}}\n")
    return path


def test_fit_tells_its_steps_and_saves(run: Run, file: Path, tmp_path: Path) -> None:
    """Steps go to stderr; stdout is the answer, and says why the type is what it is."""
    result = run("task", "fit", str(file), "--save", str(tmp_path / "saved"), "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["task"], answer["saved"]) == ("tabular-classification", str(tmp_path / "saved"))
    assert "'kind' holds names" in answer["reason"]
    assert "fitting a head on 40 rows" in result.stderr
    again = run("task", "predict", str(tmp_path / "saved"), "[15]", "--json")
    assert json.loads(again.stdout)[0]["label"] == "wide"


def test_predict_takes_words_or_a_table(run: Run, file: Path, tmp_path: Path) -> None:
    """A table gives a JSON line for each row, in its order."""
    assert "narrow" in run("task", "predict", str(file), "[1.5]").stdout
    lines = run("task", "predict", str(file), "--data", str(tmp_path / "t.csv")).stdout.splitlines()
    assert [json.loads(line)["label"] for line in lines[:3]] == ["narrow", "wide", "narrow"]
    assert len(lines) == 40
    assert run("task", "predict", str(file), "[1]", "--data", "x.csv").exit_code == 2


def test_a_regression_has_a_number_and_no_score(run: Run, tmp_path: Path) -> None:
    """The table's cell of it is empty, and JSON bears the value."""
    (tmp_path / "t.yaml").write_text("task: tabular-regression\ndata: {train: embedded/diabetes}\n")
    row = json.dumps([0.0] * 10)
    value = json.loads(run("task", "predict", str(tmp_path / "t.yaml"), row, "--json").stdout)[0]["value"]
    shown = run("task", "predict", str(tmp_path / "t.yaml"), row).stdout
    assert f"{value:.6g}" in shown
    assert "0.0000" not in shown


def test_evaluate_shows_the_metrics_and_draws(run: Run, file: Path, tmp_path: Path) -> None:
    """The same figures as table and as JSON, and a picture on request."""
    result = run("task", "evaluate", str(file), "--json", "--chart", str(tmp_path / "c.png"))
    answer = json.loads(result.stdout)
    assert answer["metrics"]["accuracy"] == 1
    assert answer["confusion_matrix"] == [[20, 0], [0, 20]]
    with Image.open(tmp_path / "c.png") as drawn:
        assert drawn.width > 100
    assert "1.0000" in run("task", "evaluate", str(file)).stdout


def test_a_wrong_file_is_one_line_on_stderr(run: Run, tmp_path: Path) -> None:
    """As every other error."""
    result = run("task", "fit", str(tmp_path / "absent.yaml"))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_deploy_makes_the_task_a_version_of_a_cluster(
    run: Run, file: Path, admin_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps go to stderr, and stdout is the card; a task that was saved is deployed as it is."""
    monkeypatch.setenv("AUTOGLM_BASE_URL", admin_server.base_url)
    monkeypatch.setenv("AUTOGLM_API_KEY", admin_server.secret)
    result = run("task", "deploy", str(file), "--name", "widths", "--version", "v1", "--json")
    assert result.exit_code == 0, result.output
    card = json.loads(result.stdout)
    assert (card["name"], card["version"], card["status"]) == ("widths", "v1", "running")
    assert "uploading widths v1" in result.stderr
    saved = str(file.parent / "saved")
    run("task", "fit", str(file), "--save", saved)
    assert "widths v2 runs" in run("task", "deploy", saved, "--name", "widths", "--version", "v2").stdout
    refused = run("task", "deploy", saved)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "name: missing" in refused.stderr
