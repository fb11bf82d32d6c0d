"""What a router replica counts anyway, told as metrics once a second: the way of a request pays nothing for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any

from deployments.breaking import Breaker
from deployments.router.attempts import Tally
from deployments.router.balancing import ReplicaStatus
from deployments.router.batches import Batches
from deployments.router.cache import CacheStatus
from deployments.router.instruments import METRICS, Instruments, RayInstruments
from deployments.router.shedding import GateStatus, Priority, PriorityStatus
from deployments.router.targets import Target

STATES = {"closed": 0, "half_open": 1, "open": 2}
GAUGES = frozenset(metric.name for metric in METRICS if metric.kind == "gauge")

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric's value now: a gauge's, or the total of a counter since the start."""

    name: str
    value: float
    labels: Labels = ()


class Exporter:
    """Shows gauges as they are, and counts counters on by what their totals have grown."""

    def __init__(self, instruments: Instruments | None = None) -> None:
        self._instruments = instruments or RayInstruments()
        self._totals: dict[tuple[str, Labels], float] = {}

    def export(self, targets: Iterable[Target], cache: CacheStatus) -> None:
        """Called on the event loop; it holds it for about 0.1 ms a target."""
        totals: dict[tuple[str, Labels], float] = {}
        for reading in chain(chain.from_iterable(map(of_target, targets)), of_cache(cache)):
            if reading.name in GAUGES:
                self._instruments.set(reading.name, reading.value, dict(reading.labels))
            else:
                self._count(reading)
                totals[reading.name, reading.labels] = reading.value
        self._totals = totals  # what is no longer declared is forgotten

    def _count(self, reading: Reading) -> None:
        """A total that has shrunk began anew, as Prometheus takes it: the target was declared otherwise."""
        before = self._totals.get((reading.name, reading.labels), 0.0)
        grown = reading.value - before if reading.value >= before else reading.value
        if grown > 0:
            self._instruments.add(reading.name, grown, dict(reading.labels))


def of_target(target: Target) -> Iterator[Reading]:
    """A version's. Labels are bounded: by what is declared, its fallbacks, states and priorities."""
    own = (("model", target.route.name), ("version", target.route.version))
    parts = (
        readings("autoglm_", values_of(target.attempts.tally)),
        by_label("autoglm_fallbacks", "by", target.fallbacks),
        of_breaker(target.breaker),
        by_label("autoglm_breaker_transitions", "to", target.transitions),
        of_gate(target.gate.status()),
        of_batches(target.batches),
        of_replicas(target.replicas()),
    )
    for reading in chain.from_iterable(parts):
        yield Reading(reading.name, reading.value, own + reading.labels)


def of_breaker(breaker: Breaker) -> Iterator[Reading]:
    """Its state, and what it refused."""
    status = breaker.status()
    yield Reading("autoglm_breaker_state", STATES[status.state])
    yield Reading("autoglm_breaker_held", status.forced)
    yield Reading("autoglm_breaker_refused", status.refused)


def of_gate(status: GateStatus) -> Iterator[Reading]:
    """The limit, and each priority's share."""
    yield Reading("autoglm_gate_limit", status.limit)
    yield Reading("autoglm_gate_latency_seconds", status.latency_s)
    for priority in Priority:
        share = values_of(getattr(status, priority))
        yield from readings("autoglm_gate_", share, (("priority", str(priority)),))


def of_batches(batches: Batches) -> Iterator[Reading]:
    """Sums over its batches."""
    return readings("autoglm_batch_", values_of(batches))


def of_replicas(replicas: Iterable[ReplicaStatus]) -> Iterator[Reading]:
    """Summed: a replica's id is another after each restart, and would be a series of its own."""
    known = tuple(replicas)
    yield Reading("autoglm_replicas", len(known))
    yield Reading("autoglm_replicas_ejected", sum(replica.ejected_for_s > 0 for replica in known))
    yield Reading("autoglm_replicas_hanging", sum(replica.hanging_for_s > 0 for replica in known))
    yield Reading("autoglm_replicas_outstanding", sum(replica.outstanding for replica in known))


def of_cache(status: CacheStatus) -> Iterator[Reading]:
    """Of all models together: what is kept is found by more than the model."""
    states = {"hit": status.hits, "miss": status.misses, "bypass": status.bypasses}
    yield from by_label("autoglm_cache_answers", "state", states)
    rest = values_of(status)
    for name in ("hits", "misses", "bypasses"):
        del rest[name]
    remote = rest.pop("remote")
    yield from readings("autoglm_cache_", rest)
    if remote != "none":
        yield Reading("autoglm_cache_remote_up", remote == "up")


def values_of(counts: Tally | PriorityStatus | Batches | CacheStatus) -> dict[str, Any]:
    """Its fields by name; `asdict` would copy each value deeply."""
    return {field.name: getattr(counts, field.name) for field in fields(counts)}


def readings(prefix: str, values: Mapping[str, float], labels: Labels = ()) -> Iterator[Reading]:
    """A metric for each value, called after it."""
    for name, value in values.items():
        yield Reading(prefix + name, value, labels)


def by_label(name: str, label: str, values: Mapping[str, float]) -> Iterator[Reading]:
    """One metric, with a series for each value, looked at when asked: a breaker that tells its state may change it."""
    for key, value in values.items():
        yield Reading(name, value, ((label, key),))
