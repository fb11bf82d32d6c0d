"""How many threads a model computes with."""

from __future__ import annotations

import os
import sys


def cores() -> int:
    """The cores that this process may run on."""
    return len(os.sched_getaffinity(0))


def use_all_cores() -> None:
    """Let OpenMP take every core; call it before torch is imported.

    Ray sets OMP_NUM_THREADS to the replica's share of CPUs, at least 1. A replica with a fraction of a CPU is one
    that shares the node, and is alone on it for as long as a batch takes.
    """
    os.environ["OMP_NUM_THREADS"] = str(cores())


def use_threads(count: int) -> None:
    """Compute with `count` threads from here on, in the calling thread; nothing where torch is not in use."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(count)
