"""The router's metrics: what there is, and where Ray takes it from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from ray.util.metrics import Counter, Gauge

TARGET = ("model", "version")
CACHE: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Ray shows it as `ray_NAME`, a counter as `ray_NAME_total`."""

    name: str
    kind: Literal["counter", "gauge"]
    description: str
    labels: tuple[str, ...] = TARGET


METRICS = (
    Metric("autoglm_requests", "counter", "Requests that were to be sent to the version."),
    Metric("autoglm_retried", "counter", "Attempts that were made again."),
    Metric("autoglm_continued", "counter", "Streams that another replica went on with."),
    Metric("autoglm_hedged", "counter", "Second attempts beside a first one that was slow."),
    Metric("autoglm_failed", "counter", "Attempts that spoke against the version."),
    Metric("autoglm_fallbacks", "counter", "Answers of something else in its place.", (*TARGET, "by")),
    Metric("autoglm_breaker_state", "gauge", "0 closed, 1 half-open, 2 open."),
    Metric("autoglm_breaker_held", "gauge", "1 where an operator holds it."),
    Metric("autoglm_breaker_transitions", "counter", "Changes of the state.", (*TARGET, "to")),
    Metric("autoglm_breaker_refused", "counter", "Attempts that the breaker did not admit."),
    Metric("autoglm_gate_limit", "gauge", "Requests that may be in flight."),
    Metric("autoglm_gate_latency_seconds", "gauge", "The latency that the limit goes by."),
    Metric("autoglm_gate_in_flight", "gauge", "Requests in flight.", (*TARGET, "priority")),
    Metric("autoglm_gate_waiting", "gauge", "Requests that wait for a place.", (*TARGET, "priority")),
    Metric("autoglm_gate_admitted", "counter", "Requests that got a place.", (*TARGET, "priority")),
    Metric("autoglm_gate_refused", "counter", "Requests that were shed.", (*TARGET, "priority")),
    Metric("autoglm_batch_batches", "counter", "Calls that carried gathered requests."),
    Metric("autoglm_batch_inputs", "counter", "Their inputs."),
    Metric("autoglm_batch_wait_seconds", "counter", "The longest wait in each."),
    Metric("autoglm_batch_utilisation", "counter", "The share of a full batch that each was."),
    Metric("autoglm_replicas", "gauge", "Replicas that the router knows."),
    Metric("autoglm_replicas_ejected", "gauge", "Those that get no requests because theirs failed."),
    Metric("autoglm_replicas_hanging", "gauge", "Those that do not answer probes."),
    Metric("autoglm_replicas_outstanding", "gauge", "Attempts under way on them."),
    Metric("autoglm_cache_answers", "counter", "Answers by whether they were kept ones.", ("state",)),
    Metric("autoglm_cache_joined", "counter", "Misses that waited for another request's answer.", CACHE),
    Metric("autoglm_cache_stale_hits", "counter", "Hits past their time, computed anew beside it.", CACHE),
    Metric("autoglm_cache_similar_hits", "counter", "Hits of the semantic cache.", CACHE),
    Metric("autoglm_cache_failed_refreshes", "counter", "Stale answers that could not be computed anew.", CACHE),
    Metric("autoglm_cache_dropped_writes", "counter", "Writes that never reached Redis.", CACHE),
    Metric("autoglm_cache_entries", "gauge", "Answers in memory.", CACHE),
    Metric("autoglm_cache_bytes", "gauge", "Their size.", CACHE),
    Metric("autoglm_cache_flights", "gauge", "Answers that are being computed.", CACHE),
    Metric("autoglm_cache_remote_up", "gauge", "1 where Redis answers; absent where none is used.", CACHE),
)


class Instruments(Protocol):
    """Where metrics go."""

    def add(self, name: str, by: float, labels: dict[str, str]) -> None:
        """Count a counter on, by more than 0."""

    def set(self, name: str, value: float, labels: dict[str, str]) -> None:
        """Have a gauge show this until it is set again."""


class RayInstruments:
    """Ray's, which its agent on each node gathers for Prometheus."""

    def __init__(self) -> None:
        self._counters = {
            metric.name: Counter(metric.name, metric.description, metric.labels)
            for metric in METRICS
            if metric.kind == "counter"
        }
        self._gauges = {
            metric.name: Gauge(metric.name, metric.description, metric.labels)
            for metric in METRICS
            if metric.kind == "gauge"
        }

    def add(self, name: str, by: float, labels: dict[str, str]) -> None:
        """As `Instruments` says."""
        self._counters[name].inc(by, labels)

    def set(self, name: str, value: float, labels: dict[str, str]) -> None:
        """As `Instruments` says."""
        self._gauges[name].set(value, labels)
