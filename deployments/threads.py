"""How many threads a model computes with."""

from __future__ import annotations

import os


def use_all_cores() -> None:
    """Let OpenMP take every core that this process may run on; call it before torch is imported.

    Ray sets OMP_NUM_THREADS to the replica's share of CPUs, at least 1. A replica with a fraction of a CPU is one
    that shares the node, and is alone on it for as long as a batch takes.
    """
    os.environ["OMP_NUM_THREADS"] = str(len(os.sched_getaffinity(0)))
