"""The entries under `tools:`."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from deployments.tools.config import HostConfig, ToolEntry


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "clock", "python": "mytools:now"},
        {"name": "files", "mcp": {"command": ["python", "-m", "file_server"]}},
        {"name": "crm", "openapi": "crm.yaml", "base_url": "https://crm.internal"},
        {"name": "sums", "embedded": "calculate"},
        {"name": "risky", "python": "mytools", "isolated": True, "resources": {"cpus": 1}},
    ],
)
def test_the_documented_forms_are_taken_and_survive_the_way_to_a_host(entry: dict[str, Any]) -> None:
    """The host reads what the control plane and the file's reader have written."""
    declared = ToolEntry.model_validate(entry)
    assert ToolEntry.model_validate(declared.model_dump(mode="json", exclude_unset=True)) == declared


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"name": "x"}, "exactly one"),
        ({"name": "x", "python": "m:f", "embedded": "calculate"}, "exactly one"),
        ({"name": "x", "embedded": "calculate", "isolated": {}}, "isolated"),
        ({"name": "x", "embedded": "calculate", "folder": "docs"}, "search_documents"),
        ({"name": "x", "embedded": "delete_everything"}, "calculate"),
        ({"name": "a.b", "python": "m:f"}, "pattern"),
        ({"name": "x", "python": "os; import"}, "pattern"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(entry: dict[str, Any], fault: str) -> None:
    """With what would do; a dot in a name would let an entry pass for another's tool."""
    with pytest.raises(ValidationError, match=fault):
        ToolEntry.model_validate(entry)


def test_the_files_entry_goes_before_a_registered_one_of_its_name() -> None:
    """Nobody replaces the operator's tool over the admin API; what else is told is passed over."""
    told = {
        "declared_tools": [{"name": "a", "embedded": "calculate"}],
        "tools": [{"name": "a", "python": "evil:f"}, {"name": "b", "python": "m:f"}],
        "grants": [{}],
    }
    entries, faults = HostConfig.model_validate(told).entries()
    assert {entry.name: entry.embedded for entry in entries} == {"a": "calculate", "b": None}
    assert not faults


def test_an_entry_that_is_none_keeps_no_other_from_being_hosted() -> None:
    """It may have been stored by a newer program; its fault is told by its name."""
    told = {"tools": [{"name": "a", "grpc": "x"}, {"name": "b", "python": "m:f"}]}
    entries, faults = HostConfig.model_validate(told).entries()
    assert [entry.name for entry in entries] == ["b"]
    assert faults.keys() == {"a"}
