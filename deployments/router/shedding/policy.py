"""How the next limit follows from a window of measurements."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from deployments.router.shedding.config import LoadSheddingConfig
from deployments.router.shedding.window import Measured

BACKOFF = 0.9  # as AIMD in Netflix's concurrency-limits
TIMED_OUT = 0.1  # the share of a window that shows trouble of the target; single callers may just be impatient
USED = 0.9  # of the limit in flight: with less, the measurements do not speak of the limit

TOLERANCE = 1.5  # Gradient2's: a latency is high from this multiple of the usual one
SMOOTHING = 0.2  # Gradient2's: the share of a step that is taken at once
LATENCY_WINDOWS = 20  # over which the usual latency is averaged: Gradient2's 600 samples, of 30 a window

RATE_SMOOTHING = 0.3  # of a window's throughput: the last six or so, in which the limit changes little
TRIAL_EVERY = 10  # windows; growth adds about 2 * sqrt(limit) meanwhile, a quarter of 64
TRIAL_STEP = 0.8
# What a trial must keep of the throughput, and how many mean deviations of a window it may stay below that: with none,
# chance ends so many trials that the limit of a noisy target drifts up to six times its need; with one, it starves.
TRIAL_KEEPS = 0.95
TRIAL_DEVIATIONS = 0.7


def is_used(limit: float, measured: Measured) -> bool:
    """Whether as many are in flight as the limit lets in, in whole requests; batch requests may have a part of it."""
    return measured.wanted >= USED or measured.in_flight >= USED * int(limit)


class Policy(Protocol):
    """One limit's rule. It keeps what it learnt; the limit itself is handed to it, within its bounds."""

    def next(self, limit: float, measured: Measured) -> float:
        """The limit from now on."""


class Fixed:
    """The limit is what it was configured to be."""

    def __init__(self, config: LoadSheddingConfig) -> None:
        """It needs nothing of it."""

    def next(self, limit: float, measured: Measured) -> float:
        """The same."""
        return limit


class Aimd:
    """Additive increase, multiplicative decrease (Chiu and Jain, 1989), once a window as TCP does once a round trip.

    It takes a time-out for the only sign of overload.
    """

    def __init__(self, config: LoadSheddingConfig) -> None:
        """It needs nothing of it."""

    def next(self, limit: float, measured: Measured) -> float:
        """One more where the limit is used, a tenth less where requests time out."""
        if measured.timed_out >= TIMED_OUT:
            return limit * BACKOFF
        return limit + 1 if is_used(limit, measured) else limit


class Throughput:
    """The target's throughput, smoothed, and its mean deviation, as RFC 6298 has a connection's round trip."""

    def __init__(self) -> None:
        self._rate = self._deviation = 0.0

    def add(self, rate: float) -> None:
        """One window's."""
        error = rate - self._rate if self._rate else 0.0
        self._rate = self._rate + RATE_SMOOTHING * error if self._rate else rate
        self._deviation += RATE_SMOOTHING * (abs(error) - self._deviation)

    @property
    def kept(self) -> float:
        """The least that a window may have to be taken for no slower."""
        return TRIAL_KEEPS * self._rate - TRIAL_DEVIATIONS * self._deviation


@dataclass(slots=True)
class Trial:
    """A limit that is tried: what it replaced, and whether the requests admitted before it have gone."""

    replaced: float
    settled: bool = False


class Gradient:
    """Gradient2 of Netflix's concurrency-limits, held to the throughput.

    Gradient2 multiplies the limit by usual latency / latency now, where that is below 1 / `TOLERANCE`, and adds
    sqrt(limit) so that it grows while latency is as usual. Its usual latency follows the queue that the growing limit
    makes, so that with steady overload it grows for ever. Comparing with the least latency instead, as Envoy's
    adaptive concurrency and TCP Vegas do, stops that and starves a batching target, whose latency rises by nature up to
    the size of its batch.

    So the latency judges what is sudden, and throughput what lasts: every `TRIAL_EVERY` windows the limit is lowered
    for one (as TCP BBR lowers its window to measure its round trip). Where the target answers as many requests with
    less in flight, what was taken away had only been a queue: it stays away, and the next step is tried.
    """

    def __init__(self, config: LoadSheddingConfig) -> None:
        self._least = float(config.min_limit)
        self._usual_s: float | None = None
        self._throughput = Throughput()
        self._windows = 0  # used ones since the last trial
        self._trial: Trial | None = None

    def next(self, limit: float, measured: Measured) -> float:
        """The limit after a window: backed off, tried, or moved along the gradient."""
        if measured.timed_out >= TIMED_OUT:
            self._trial = None
            return limit * BACKOFF
        if self._trial is not None:
            return self._tried(self._trial, limit, measured)
        return self._moved(limit, measured)

    def _moved(self, limit: float, measured: Measured) -> float:
        gradient = self._gradient(measured.latency_s)
        if not is_used(limit, measured):
            return limit + SMOOTHING * (gradient - 1) * limit if measured.in_flight >= limit / 2 else limit
        self._throughput.add(measured.rate)
        self._windows += 1
        if self._windows >= TRIAL_EVERY and gradient == 1:
            return self._try(limit)
        return limit + SMOOTHING * (gradient * limit + math.sqrt(limit) - limit)

    def _gradient(self, latency_s: float) -> float:
        usual = latency_s if self._usual_s is None else self._usual_s
        self._usual_s = usual + (latency_s - usual) * 2 / (LATENCY_WINDOWS + 1)
        return max(0.5, min(1.0, TOLERANCE * usual / latency_s)) if latency_s > 0 else 1.0

    def _try(self, limit: float) -> float:
        """A lower limit, where there is room for one."""
        self._windows = 0
        lower = max(self._least, TRIAL_STEP * limit)
        self._trial = Trial(limit) if lower < limit else None
        return lower

    def _tried(self, trial: Trial, limit: float, measured: Measured) -> float:
        if not trial.settled:
            trial.settled = True
            return limit
        self._trial = None
        if not is_used(limit, measured) or measured.rate < self._throughput.kept:
            return trial.replaced
        self._usual_s = measured.latency_s
        return self._try(limit)


POLICIES: dict[Literal["gradient", "aimd", "fixed"], Callable[[LoadSheddingConfig], Policy]] = {
    "gradient": Gradient,
    "aimd": Aimd,
    "fixed": Fixed,
}
