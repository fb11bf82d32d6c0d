"""What the tests of the embedded tools share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from deployments.tools.embedded.names import EmbeddedName
from deployments.tools.embedded.shelf import embedded_tools
from deployments.tools.schema import Schema

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)

Call = Callable[..., Any]


@pytest.fixture
def call() -> Call:
    """Calls an embedded tool as a host does, with arguments and a result that fit its schemas, at `NOON`."""

    def call(name: EmbeddedName, **arguments: Any) -> Any:
        [tool] = embedded_tools(name, name, None, lambda: NOON).values()
        assert Schema(tool.card.parameters).fault(arguments) is None
        result = tool.value(tool.function(**tool.bind(arguments, "k")))
        assert tool.card.returns is not None
        assert Schema(tool.card.returns).fault(result) is None
        return result

    return call
