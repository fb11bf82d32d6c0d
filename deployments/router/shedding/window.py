"""Measurements gathered until they say something together."""

from __future__ import annotations

from dataclasses import dataclass

SPAN_S = 0.1  # as in the example of Envoy's gradient controller (`concurrency_update_interval`)
MIN_ANSWERS = 30  # a mean of fewer is too noisy to compare with


@dataclass(frozen=True, slots=True)
class Measured:
    """One window: mean latency in seconds, answers a second, mean requests in flight, share that timed out.

    `wanted` is the share that left while others waited for a place.

    `rate` is Little's law's, requests in flight / time in flight: counted by a clock, a target that answers in bursts
    would seem faster or slower by a burst for each window that ends inside one.
    """

    latency_s: float
    rate: float
    in_flight: float
    timed_out: float
    wanted: float


@dataclass(slots=True)
class Window:
    """Gathers for at least `SPAN_S`, and until as many requests ended as were in flight at once.

    Shorter, and it would measure the order in which they ended, not what the target does.
    """

    began: float
    ended: int = 0
    in_flight: int = 0  # summed over those that ended, as the next four
    timed_out: int = 0
    wanted: int = 0
    latency_s: float = 0.0
    held_s: float = 0.0
    needed: int = MIN_ANSWERS

    def add(self, latency_s: float, held_s: float, in_flight: int, *, timed_out: bool, is_wanted: bool) -> None:
        """A request ended, with `in_flight` there, itself included; it had been there for `held_s`."""
        self.ended += 1
        self.in_flight += in_flight
        self.timed_out += timed_out
        self.wanted += is_wanted
        self.latency_s += latency_s
        self.held_s += held_s
        self.needed = max(self.needed, in_flight)

    def is_whole(self, now: float) -> bool:
        """Whether it has gathered enough."""
        return self.ended >= self.needed and now - self.began >= SPAN_S

    def measured(self) -> Measured:
        """The means of what was gathered."""
        return Measured(
            latency_s=self.latency_s / self.ended,
            rate=self.in_flight / self.held_s if self.held_s else 0.0,
            in_flight=self.in_flight / self.ended,
            timed_out=self.timed_out / self.ended,
            wanted=self.wanted / self.ended,
        )
