"""What a tool host counts anyway, told as metrics once a second: the way of a call pays nothing for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from ray.util.metrics import Counter, Gauge

from deployments.tools.offer import Offer

STATES = {"closed": 0, "half_open": 1, "open": 2}
OK = "ok"  # the outcome beside the errors' codes

Total = tuple[str, str, str]  # metric, tool, outcome ("" where the metric has none)


class Instruments(Protocol):
    """Where metrics go."""

    def add(self, name: str, by: float, labels: dict[str, str]) -> None:
        """Count a counter on, by more than 0."""

    def set(self, name: str, value: float, labels: dict[str, str]) -> None:
        """Have a gauge show this until it is set again."""


class RayInstruments:
    """Ray's, which shows them as `ray_NAME`, a counter as `ray_NAME_total`."""

    def __init__(self) -> None:
        self._counters = {
            "autoglm_tool_calls": Counter(
                "autoglm_tool_calls", "Calls by outcome: ok, or the error's code.", ("tool", "outcome")
            ),
            "autoglm_tool_repeated": Counter(
                "autoglm_tool_repeated", "Calls that were answered by one with the same key.", ("tool",)
            ),
            "autoglm_tool_seconds": Counter("autoglm_tool_seconds", "Seconds that the tool itself took.", ("tool",)),
        }
        self._gauges = {
            "autoglm_tool_running": Gauge("autoglm_tool_running", "Calls under way.", ("tool",)),
            "autoglm_tool_breaker_state": Gauge(
                "autoglm_tool_breaker_state", "0 closed, 1 half-open, 2 open.", ("tool",)
            ),
        }

    def add(self, name: str, by: float, labels: dict[str, str]) -> None:
        """As `Instruments` says."""
        self._counters[name].inc(by, labels)

    def set(self, name: str, value: float, labels: dict[str, str]) -> None:
        """As `Instruments` says."""
        self._gauges[name].set(value, labels)


class Exporter:
    """Shows gauges as they are, and counts counters on by what their totals have grown."""

    def __init__(self, instruments: Instruments | None = None) -> None:
        self._instruments = instruments or RayInstruments()
        self._totals: dict[Total, float] = {}

    def export(self, offers: Iterable[Offer]) -> None:
        """Called on the event loop; it holds it for some 20 µs a tool."""
        totals: dict[Total, float] = {}
        for offer in offers:
            self._instruments.set("autoglm_tool_running", offer.tally.running, {"tool": offer.name})
            state = STATES[offer.breaker.status().state]
            self._instruments.set("autoglm_tool_breaker_state", state, {"tool": offer.name})
            for total, value in totals_of(offer):
                totals[total] = value
                self._count(total, value)
        self._totals = totals  # what is no longer offered is forgotten

    def _count(self, total: Total, value: float) -> None:
        """A total that has shrunk began anew, as Prometheus takes it: the tool was loaded again."""
        before = self._totals.get(total, 0.0)
        grown = value - before if value >= before else value
        if grown > 0:
            name, tool, outcome = total
            self._instruments.add(name, grown, {"tool": tool} | ({"outcome": outcome} if outcome else {}))


def totals_of(offer: Offer) -> Iterator[tuple[Total, float]]:
    """Labels are bounded: by the tools that are offered, and the codes of the error tree."""
    tally = offer.tally
    for outcome, count in ((OK, tally.answered), *tally.errors.items()):
        yield ("autoglm_tool_calls", offer.name, outcome), count
    yield ("autoglm_tool_repeated", offer.name, ""), tally.repeated
    yield ("autoglm_tool_seconds", offer.name, ""), tally.seconds
