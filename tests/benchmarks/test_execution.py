"""What the executor's benchmark measures is a run that comes out right."""

from __future__ import annotations

from benchmarks.execution import chain, fan_out, measured
from deployments.planner.execution import ExecutionConfig


async def test_results_are_exact_and_each_step_is_called_once() -> None:
    """By an oracle that knows nothing of the executor."""
    for plan in (chain(3), fan_out(6)):
        found = await measured(plan, ExecutionConfig(), latency_s=0.0, failure_rate=0.0, runs=1)
        assert (found.is_exact, found.calls) == (True, len(plan.steps))
