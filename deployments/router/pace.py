"""When the next call to a busy model is sent: so that it arrives as the model becomes free."""

from __future__ import annotations

# Of a call's time from sending it to its answer. What leaves then is there in time: a call to a model of 8 ms takes
# 12 ms on 2 cores, 2 of them before the model begins and 2 after it is done.
SHARE = 0.7
SMOOTHING = 0.1  # the weight of the latest call in the average


class Pace:
    """Learns how long a call takes, queueing at the replica included: a replica with a queue is sent fewer calls."""

    def __init__(self, replicas: int) -> None:
        self._replicas = replicas
        self._sent_at = 0.0
        self._call_s: float | None = None

    def sent(self, now: float) -> None:
        """A call has left."""
        self._sent_at = now

    def answered(self, seconds: float) -> None:
        """A call was answered, so long after it was sent. One that failed tells nothing."""
        known = seconds if self._call_s is None else self._call_s
        self._call_s = known + SMOOTHING * (seconds - known)

    def due(self) -> float:
        """When the next may leave; never, by this, as long as nothing is known."""
        if self._call_s is None:
            return float("inf")
        return self._sent_at + SHARE * self._call_s / self._replicas
