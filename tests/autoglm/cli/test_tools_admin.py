"""`autoglm tools add|delete|registered|audit` against the real admin API."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
ENTRY = '{"embedded": "current_time"}'


@pytest.mark.parametrize("how", ["word", "file", "stdin"])
def test_an_entry_is_given_as_a_word_a_file_or_a_pipe(administer: Run, tmp_path: Path, how: str) -> None:
    """And is registered under its name."""
    (tmp_path / "clock.json").write_text(ENTRY)
    word = {"word": ENTRY, "file": f"@{tmp_path / 'clock.json'}", "stdin": "-"}[how]
    made = administer("tools", "add", "clock", word, "--json", stdin=ENTRY)
    assert json.loads(made.stdout)["entry"] == {"name": "clock", "embedded": "current_time"}
    shown = administer("tools", "registered").stdout
    assert "clock" in shown
    assert "current_time" in shown
    assert "loading 0/0" in shown  # no host tells of it
    gone = administer("tools", "delete", "clock")
    assert (gone.exit_code, gone.stdout) == (0, "clock is registered no more\n")
    assert json.loads(administer("tools", "registered", "--json").stdout)["data"] == []


@pytest.mark.parametrize("entry", ["{", "[]", "@no-such-file", '"calculate"'])
def test_what_is_no_entry_exits_with_2(administer: Run, entry: str) -> None:
    """Before the server is asked; what it refuses is one line with the field."""
    assert administer("tools", "add", "clock", entry).exit_code == 2
    refused = administer("tools", "add", "clock", '{"embedded": "none"}')
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "embedded" in refused.stderr


def test_calls_are_listed_newest_first(administer: Run, admin_server: Any) -> None:
    """Of a tenant or of all."""
    admin_server.call_tools("clock", "calculate")
    lines = [line for line in administer("tools", "audit").stdout.splitlines() if "key:key_a" in line]
    assert ["calculate" in lines[0], "clock" in lines[1], "0.250" in lines[0]] == [True, True, True]
    assert len(json.loads(administer("tools", "audit", "--limit", "1", "--json").stdout)["data"]) == 1
    assert json.loads(administer("tools", "audit", "--tenant", "nobody", "--json").stdout)["data"] == []
