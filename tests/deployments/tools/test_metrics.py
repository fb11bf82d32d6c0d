"""A host's numbers as metrics."""

from __future__ import annotations

from collections import Counter

from autoglm.contract.tool import ToolCard
from deployments.tools.metrics import Exporter
from deployments.tools.offer import Offer
from tests.deployments.tools.scripted_source import ANY, entry


class Recorded:
    """What was counted and shown."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.shown: dict[str, float] = {}

    def add(self, name: str, by: float, labels: dict[str, str]) -> None:
        self.counted[f"{name} {labels.get('outcome', '')}".strip()] += by  # type: ignore[assignment]

    def set(self, name: str, value: float, labels: dict[str, str]) -> None:
        self.shown[name] = value


def offered() -> Offer:
    return Offer(entry("t"), ToolCard(name="t", parameters=ANY))


def test_counters_grow_by_what_was_added_and_gauges_show_what_is() -> None:
    """However often they are told; a tool that is loaded again counts from nothing, and its metrics go on."""
    recorded, offer = Recorded(), offered()
    exporter = Exporter(recorded)
    offer.tally.answered, offer.tally.running = 3, 2
    offer.tally.errors["upstream_error"] = 1
    exporter.export([offer])
    exporter.export([offer])
    assert recorded.counted == {"autoglm_tool_calls ok": 3, "autoglm_tool_calls upstream_error": 1}
    assert recorded.shown == {"autoglm_tool_running": 2, "autoglm_tool_breaker_state": 0}
    again = offered()
    again.tally.answered = 1
    exporter.export([again])
    assert recorded.counted["autoglm_tool_calls ok"] == 4
