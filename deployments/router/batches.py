"""What the router's batches came to: sums, of which a rate and a mean can be made over any time."""

from __future__ import annotations

from dataclasses import dataclass

from deployments.router.aggregation import Dispatched


@dataclass(slots=True)
class Batches:
    """Calls that carried gathered requests, from the start of the replica.

    `wait_seconds` sums the longest wait in each, `utilisation` the share of a full batch that each was.
    """

    batches: int = 0
    inputs: int = 0
    wait_seconds: float = 0.0
    utilisation: float = 0.0

    def add(self, dispatched: Dispatched) -> None:
        """One more call."""
        self.batches += 1
        self.inputs += dispatched.size
        self.wait_seconds += dispatched.waited_s
        self.utilisation += dispatched.utilisation
