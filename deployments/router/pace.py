"""When the next call to a busy model is sent: so that it arrives as the model becomes free."""

from __future__ import annotations

# Of the model's time for a call, after which the next one leaves. Sooner it misses company, later the model waits for
# it: a model of 8 ms takes a call 3 to 4 ms after it was sent on 2 busy cores, and the router hears 1.5 ms after it is
# done. Measured there in turns, 6, 12, 24 and 40 clients got 308, 566, 783 and 898 requests/s; at 0.6 282, 496, 707
# and 897, at 0.3 327, 550, 756 and 874.
SHARE = 0.4
SMOOTHING = 0.1  # the weight of the latest call in the average


class Pace:
    """Learns how long a model computes a call, from answer to answer while calls queue there.

    Several replicas answer the more often, so that their common pace is that of one faster model.
    """

    def __init__(self) -> None:
        self._began = 0.0  # when the model turned to what it computes now, as far as can be told from here
        self._call_s: float | None = None

    def began(self, now: float) -> None:
        """A call has left for a model that was idle."""
        self._began = now

    def answered(self, now: float) -> None:
        """A call was answered, and the model turned to the next. One that failed tells nothing."""
        seconds = now - self._began
        known = seconds if self._call_s is None else self._call_s
        self._call_s = known + SMOOTHING * (seconds - known)
        self._began = now

    def due(self) -> float:
        """When the next may leave; never, by this, as long as nothing is known."""
        return float("inf") if self._call_s is None else self._began + SHARE * self._call_s
