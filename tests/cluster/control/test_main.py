"""`python -m cluster.control`."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cluster.control.__main__ import app


def test_the_schema_goes_up_and_down_by_command(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The URL, with its password, comes from the environment; an error is a line, and status 1."""
    monkeypatch.setenv("AUTOGLM_DATABASE_URL", database_url)
    command = CliRunner().invoke
    assert command(app, ["check"]).exit_code == 1
    assert command(app, ["upgrade"]).exit_code == 0
    assert command(app, ["check"]).exit_code == 0
    assert command(app, ["downgrade", "0001"]).exit_code == 0
    told = command(app, ["check"])
    assert (told.exit_code, told.stderr.startswith("error: database: it is of revision 0001")) == (1, True)
    assert "python -m cluster.control upgrade" in told.stderr
