"""The embedded tools as they are listed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from deployments.clock import utc_now
from deployments.tools.embedded.names import EmbeddedName
from deployments.tools.embedded.shelf import embedded_tools

NAMES: tuple[EmbeddedName, ...] = get_args(EmbeddedName)


@pytest.mark.parametrize("name", NAMES)
def test_every_tool_is_described_for_those_who_choose(name: EmbeddedName, tmp_path: Path) -> None:
    """In English and with Chinese words, each argument too; all may be called again."""
    [(entry, tool)] = embedded_tools("mine", name, tmp_path, utc_now).items()
    assert (entry, tool.name) == ("mine", name)
    assert tool.card.idempotent
    assert tool.card.returns is not None
    assert re.search("[\u4e00-\u9fff]", tool.card.description)
    assert all(field["description"] for field in tool.card.parameters["properties"].values())


def test_a_search_without_a_folder_is_no_tool() -> None:
    """Rather than one that finds nothing."""
    assert embedded_tools("search", "search_documents", None, utc_now) == {}
