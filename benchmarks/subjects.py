"""What the batching servers serve: each subject's adapter, the same for all of them."""

from __future__ import annotations

from autoglm.contract import TaskConfig
from autoglm.models import Adapter, load
from benchmarks.stub import Stub

TASK = {"task": "text-classification", "model": "embedded/minilm-l6-sst2"}


def adapter(subject: str) -> Adapter:
    """Of `stub` or `sentiment`."""
    return Stub() if subject == "stub" else load(TaskConfig.model_validate(TASK))
