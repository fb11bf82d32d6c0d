"""What a router replica's totals and states become as metrics, without Ray."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoglm.errors import CircuitOpenError, UnavailableError, UpstreamError
from deployments.router.attempts import Tally
from deployments.router.balancing import ReplicaStatus
from deployments.router.cache import CacheStatus, Computed
from deployments.router.call import Call
from deployments.router.config import Limits, Route
from deployments.router.degradation import degraded
from deployments.router.instruments import METRICS, RayInstruments
from deployments.router.metrics import Exporter, of_replicas
from deployments.router.shedding import Priority
from deployments.router.targets import Target, TargetTable
from tests.fake_replica import FakeReplica

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"
COLD = CacheStatus(
    entries=0,
    bytes=0,
    flights=0,
    hits=0,
    misses=0,
    bypasses=0,
    joined=0,
    stale_hits=0,
    similar_hits=0,
    failed_refreshes=0,
    dropped_writes=0,
    remote="none",
)
ONE_PLACE = {"policy": "fixed", "initial_limit": 1, "min_limit": 1}
SICK: dict[str, Any] = {"retries": {"max_attempts": 1}, "breaker": {"minimum_calls": 2, "window_calls": 2}}
BRIEF = {**SICK["breaker"], "open_s": 1e-9}


class Recorded:
    """Metrics as Prometheus would have them, and every increment."""

    def __init__(self) -> None:
        self.totals: Counter[str] = Counter()
        self.gauges: dict[str, float] = {}
        self._labels = {metric.name: set(metric.labels) for metric in METRICS}
        self._kinds = {metric.name: metric.kind for metric in METRICS}

    def add(self, name: str, by: float, labels: dict[str, str]) -> None:
        assert by > 0  # Ray refuses less
        assert self._kinds[name] == "counter"
        self.totals[self._series(name, labels)] += by  # type: ignore[assignment]

    def set(self, name: str, value: float, labels: dict[str, str]) -> None:
        assert self._kinds[name] == "gauge"
        self.gauges[self._series(name, labels)] = value

    def _series(self, name: str, labels: dict[str, str]) -> str:
        """`requests mood v1`: the values of the labels, which are those declared and no others."""
        assert labels.keys() == self._labels[name]
        return " ".join((name.removeprefix("autoglm_"), *labels.values()))

    @property
    def names(self) -> set[str]:
        return {f"autoglm_{series.split()[0]}" for series in (*self.totals, *self.gauges)}


def target(
    predict: Callable[[list[Any]], Any] | BaseException = lambda inputs: {"outputs": inputs},
    version: str = "v1",
    **policy: Any,
) -> Target:
    """A task's target whose one replica answers so."""
    task = {"name": "mood", "task": "text-classification", "model": "m", "deployment": "predictor"}
    route = {**task, "version": version, "app": version, "max_batch_size": 4, "policy": policy}
    return Target(Route.model_validate(route), FakeReplica(predict=predict), Limits())


async def ask(target: Target, *inputs: str, priority: Priority = Priority.INTERACTIVE) -> None:
    await target.predict(list(inputs), Call(priority=priority))


async def test_a_total_is_counted_on_by_what_it_grew() -> None:
    """Once however often it is told, and from its beginning for a target that was declared anew."""
    recorded, first = Recorded(), target()
    exporter = Exporter(recorded)
    exporter.export([first], COLD)
    assert not recorded.totals
    for _ in range(3):
        await ask(first, "a")
    exporter.export([first], COLD)
    exporter.export([first], COLD)
    assert recorded.totals["requests mood v1"] == 3
    await ask(first, "a")
    exporter.export([first], COLD)
    assert recorded.totals["requests mood v1"] == 4
    anew = target()
    await ask(anew, "a")
    await ask(anew, "a")
    exporter.export([anew], COLD)
    assert recorded.totals["requests mood v1"] == 6


async def test_what_was_gone_for_a_while_counts_from_its_beginning() -> None:
    """It is another target, however many requests it has had already."""
    recorded, first, second = Recorded(), target(), target()
    exporter = Exporter(recorded)
    await ask(first, "a")
    exporter.export([first], COLD)
    exporter.export([], COLD)
    for _ in range(2):
        await ask(second, "a")
    exporter.export([second], COLD)
    assert recorded.totals["requests mood v1"] == 3


async def test_a_sick_target_shows_in_its_breaker() -> None:
    """State, transitions by where they led, what was refused, and the attempts that led to it."""
    recorded, sick = Recorded(), target(UpstreamError("no"), **SICK)
    exporter = Exporter(recorded)
    exporter.export([sick], COLD)
    assert recorded.gauges["breaker_state mood v1"] == 0
    for _ in range(2):
        with pytest.raises(UpstreamError):
            await ask(sick, "a")
    with pytest.raises(CircuitOpenError):
        await ask(sick, "a")
    exporter.export([sick], COLD)
    assert (recorded.gauges["breaker_state mood v1"], recorded.gauges["breaker_held mood v1"]) == (2, 0)
    assert recorded.totals["breaker_transitions mood v1 open"] == 1
    assert (recorded.totals["failed mood v1"], recorded.totals["breaker_refused mood v1"]) == (2, 1)
    sick.hold("open")  # no change of the state, so no transition
    exporter.export([sick], COLD)
    assert recorded.gauges["breaker_held mood v1"] == 1
    assert recorded.totals["breaker_transitions mood v1 open"] == 1
    sick.hold("closed")
    exporter.export([sick], COLD)
    assert recorded.totals["breaker_transitions mood v1 closed"] == 1
    assert recorded.gauges["breaker_state mood v1"] == 0


async def test_a_change_that_the_look_itself_brings_is_told() -> None:
    """A breaker whose probe interval is over becomes half-open when it is next asked, be it by the exporter."""
    recorded, sick = Recorded(), target(UpstreamError("no"), retries=SICK["retries"], breaker=BRIEF)
    for _ in range(2):
        with pytest.raises(UpstreamError):
            await ask(sick, "a")
    Exporter(recorded).export([sick], COLD)
    assert recorded.gauges["breaker_state mood v1"] == 1
    assert recorded.totals["breaker_transitions mood v1 half_open"] == 1


class Answering:
    """Empty answers of what the target says it can."""

    async def target(self, target: Target) -> Computed:
        await ask(target, "a")
        return Computed(body=b"", meta={})

    async def cached(self, max_age_s: float) -> Computed | None:
        return None

    def fixed(self, text: str, target: Target) -> Computed:
        return Computed(body=text.encode(), meta={})


async def test_fallbacks_are_told_by_what_stood_in() -> None:
    """As the response is marked; one that had no answer stood in for nothing."""
    recorded = Recorded()
    routes = [
        target(**SICK, fallbacks=[{"cached_s": 9}, {"version": "v2"}]).route,
        target(version="v2").route,
    ]
    replicas = {"v1": FakeReplica(predict=UpstreamError("no")), "v2": FakeReplica(predict=lambda inputs: {})}
    table = TargetTable(routes, Limits(), lambda deployment, app, balancing: replicas[app])
    for _ in range(2):
        answer = await degraded(table.get("mood"), table, Call(), Answering())
        assert answer.meta["fallback"] == "mood:v2"
    Exporter(recorded).export(table, COLD)
    assert {name: total for name, total in recorded.totals.items() if "fallbacks" in name} == {
        "fallbacks mood v1 mood:v2": 2
    }


async def test_the_gate_is_told_by_priority() -> None:
    """Who is in flight and waits now, who was let in and shed so far."""
    recorded, full = Recorded(), target(shedding={**ONE_PLACE, "max_waiting": 1})
    with await full.gate.enter(Priority.BATCH):
        waits = asyncio.create_task(ask(full, "a"))
        while not full.gate.status().interactive.waiting:  # noqa: ASYNC110 - a place in a queue tells nobody
            await asyncio.sleep(0)
        with pytest.raises(UnavailableError):
            await ask(full, "a")
        Exporter(recorded).export([full], COLD)
    await waits
    assert recorded.gauges["gate_limit mood v1"] == 1
    assert (recorded.gauges["gate_in_flight mood v1 batch"], recorded.gauges["gate_waiting mood v1 batch"]) == (1, 0)
    assert recorded.gauges["gate_waiting mood v1 interactive"] == 1
    assert recorded.totals["gate_admitted mood v1 batch"] == 1
    assert recorded.totals["gate_refused mood v1 interactive"] == 1


async def test_batches_are_told_as_sums() -> None:
    """Calls, inputs, and the shares of full batches, of which a mean can be made over any time."""
    recorded, busy = Recorded(), target()
    await ask(busy, "a", "b", "c")
    await ask(busy, "a")
    Exporter(recorded).export([busy], COLD)
    assert (recorded.totals["batch_batches mood v1"], recorded.totals["batch_inputs mood v1"]) == (2, 4)
    assert recorded.totals["batch_utilisation mood v1"] == pytest.approx(3 / 4 + 1 / 4)


def test_replicas_are_summed() -> None:
    """A series for each would grow with every restart."""
    replicas = [
        ReplicaStatus("r1", outstanding=2, ejected_for_s=0, hanging_for_s=0, share=1),
        ReplicaStatus("r2", outstanding=1, ejected_for_s=3.5, hanging_for_s=0, share=1),
        ReplicaStatus("r3", outstanding=4, ejected_for_s=1, hanging_for_s=9, share=1),
    ]
    told = {reading.name.removeprefix("autoglm_replicas"): reading.value for reading in of_replicas(replicas)}
    assert told == {"": 3, "_ejected": 2, "_hanging": 1, "_outstanding": 7}


def test_the_cache_is_told_as_a_whole() -> None:
    """Answers by state; whether Redis answers only where there is one."""
    recorded = Recorded()
    exporter = Exporter(recorded)
    exporter.export([], COLD)
    assert "cache_remote_up" not in recorded.gauges
    warm = CacheStatus(3, 4096, 1, 7, 5, 2, 4, 1, 0, 0, 6, "up")
    exporter.export([], warm)
    answers = {state: recorded.totals[f"cache_answers {state}"] for state in ("hit", "miss", "bypass")}
    assert answers == {"hit": 7, "miss": 5, "bypass": 2}
    assert (recorded.totals["cache_joined"], recorded.totals["cache_dropped_writes"]) == (4, 6)
    assert (recorded.gauges["cache_entries"], recorded.gauges["cache_bytes"]) == (3, 4096)
    assert recorded.gauges["cache_remote_up"] == 1


async def test_every_metric_is_told_and_on_the_page() -> None:
    """None is declared that nothing tells, or that an operator cannot look up."""
    recorded, known = Recorded(), target()
    await ask(known, "a")
    known.attempts.tally = Tally(requests=1, retried=1, continued=1, hedged=1, failed=1)
    known.fallbacks["fixed"] += 1
    known.batches.wait_seconds = 0.5
    known.hold("open")
    with pytest.raises(CircuitOpenError):
        await ask(known, "a")
    full = target(shedding={**ONE_PLACE, "max_waiting": 0})
    with await full.gate.enter(), pytest.raises(UnavailableError):
        await ask(full, "a")
    Exporter(recorded).export([known, full], CacheStatus(*[1] * 11, remote="up"))
    assert recorded.names == {metric.name for metric in METRICS}
    text = PAGE.read_text()
    assert [metric.name for metric in METRICS if f"`{metric.name}`" not in text] == []


def test_ray_takes_what_is_exported() -> None:
    """Its own classes check names, labels and values; without a cluster they keep nothing."""
    Exporter(RayInstruments()).export([target()], COLD)
