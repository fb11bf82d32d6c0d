"""`autoglm usage` against the real admin API."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import Any

import pytest

from autoglm.cli.usage import show
from autoglm.contract import UsageReport, UsageRow

Run = Callable[..., Any]


def test_table_csv_and_json_hold_the_same_sums(administer: Run, admin_server: Any) -> None:
    """Of the days that are asked for, by the dimensions that are asked for."""
    admin_server.spend(days=4)
    asked = ["--by", "model", "--by", "tenant", "--since", "2026-02-27", "--until", "2026-02-28"]
    [row] = json.loads(administer("usage", *asked, "--json").stdout)["data"]
    assert (row["tenant"], row["model"], row["day"], row["requests"], row["cost"]) == ("acme", "m00000", None, 2, 3.0)
    text = administer("usage", *asked, "--csv").stdout
    assert list(csv.DictReader(text.splitlines())) == [
        {
            "tenant": "acme",
            "model": "m00000",
            "requests": "2",
            "prompt_tokens": "20",
            "completion_tokens": "10",
            "cost": "3.0",
        }
    ]
    shown = administer("usage", *asked).stdout
    assert [cell in shown for cell in ("acme", "m00000", "20", "3.0", "None", "key")] == [True] * 4 + [False] * 2


def test_without_a_word_it_is_by_key_model_and_day(administer: Run, admin_server: Any) -> None:
    """All days, nothing summed over what bills are made of."""
    admin_server.spend(days=3)
    rows = json.loads(administer("usage", "--json").stdout)["data"]
    assert [(row["key"], row["model"], row["day"]) for row in rows] == [
        ("key_a", "m00000", day) for day in ("2026-02-27", "2026-02-28", "2026-03-01")
    ]


def test_a_table_that_is_cut_short_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with what would do."""
    show(UsageReport(data=(UsageRow(model="chat"),), has_more=True), ("model",))
    told = capsys.readouterr()
    assert "chat" in told.out
    assert "There are more rows: ask for fewer days" in told.err
    show(UsageReport(data=()), ("model",))
    assert capsys.readouterr().err == ""


def test_a_wrong_word_exits_with_2(administer: Run) -> None:
    """The message names the known dimensions."""
    refused = administer("usage", "--by", "price")
    assert refused.exit_code == 2
    assert "key, tenant, model, day" in refused.stderr
    assert administer("usage", "--since", "yesterday").exit_code == 2
    assert administer("usage", "--csv", "--json").exit_code == 2
