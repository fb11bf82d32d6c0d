"""Python's collector of reference cycles, in a process that serves."""

from __future__ import annotations

import gc

# So many objects more than at its last run, and the collector looks at the young ones. What a request makes is freed
# without it, and by Python's default of 700 it goes through all requests in flight again and again. Measured in pairs
# on 2 cores: a router gave 1.05x the requests/s at 12 clients and 1.2x at 64, a predictor 1.03x and 1.05x.
THRESHOLD = 10_000


def collect_rarely() -> None:
    """From here on, in this process."""
    gc.set_threshold(THRESHOLD)
