"""The command line: `check` and `render`, and how a mistake ends it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from serve_app.__main__ import cli, main


def test_what_is_rendered_is_a_config_and_nothing_else() -> None:
    """It goes by a pipe into a file that `serve deploy` reads; `--gpu` reaches the engine."""
    rendered = CliRunner().invoke(cli, ["render", "--gpu"])
    assert rendered.exit_code == 0
    applications = {application["name"]: application for application in yaml.safe_load(rendered.stdout)["applications"]}
    assert applications["model-chat-v1"]["args"]["version"]["device"] == "gpu"
    assert applications["model-sentiment-v1"]["args"]["gpus"] == 0


def test_a_wrong_file_is_one_message_and_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, without a traceback, with a status that a script sees."""
    file = tmp_path / "autoglm.yaml"
    file.write_text("task: []")
    monkeypatch.setattr(sys, "argv", ["serve_app", "check", str(file)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert capsys.readouterr().err == f"{file}:1:1: task: unknown key; did you mean 'tasks'?\n"
