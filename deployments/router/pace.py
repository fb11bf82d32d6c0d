"""When the next call to a busy model is sent: so that it arrives as the model becomes free."""

from __future__ import annotations

# Of a call's time from sending it to its answer. What leaves then arrives as the model becomes free: a call to a model
# of 8 ms takes 12 ms on 2 cores, 2 of them before the model begins and 2 after it is done. Sooner it misses company and
# waits at the replica, later the model waits. Simulated with these times, 12 clients get 6.6 times one client's rate at
# 0.7, 7.8 at 0.8, 8.2 at 0.85, 7.5 at 0.9, and 7.2 at most with a fixed wait.
SHARE = 0.85
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
