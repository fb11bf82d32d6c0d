"""One step from its turn to its end: condition, arguments, approval, call, fallback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autoglm.contract.plan import Fallback, Step
from autoglm.contract.task_run import StepRun
from autoglm.errors import APIStatusError, PermissionDeniedError
from deployments.clock import Clock
from deployments.planner.execution.attempts import Attempts, Effort
from deployments.planner.execution.calls import Call, Calls, call_of
from deployments.planner.execution.conditions import holds
from deployments.planner.execution.config import ExecutionConfig
from deployments.planner.execution.events import Events
from deployments.planner.execution.failures import detail
from deployments.planner.execution.record import Record
from deployments.planner.execution.results import Results
from deployments.planner.execution.screening import Screening
from deployments.planner.references import references, resolved


@dataclass(frozen=True, slots=True)
class StepWork:
    """Does the steps of one run. `ends` is the clock's time at which the run does, `now` the time of day."""

    run: str
    config: ExecutionConfig
    calls: Calls
    attempts: Attempts
    results: Results
    screening: Screening
    record: Record
    events: Events
    ends: float
    clock: Callable[[], float]
    now: Clock

    async def do(self, step: Step, *, is_skipped: bool, is_streamed: bool) -> StepRun:
        """What became of the step: it succeeded, failed, was skipped, or waits for a person.

        The journal has it before this returns; `is_streamed` shows a model's text as it comes.

        Raises:
            UnavailableError, ConflictError: the journal's.
        """
        begun = StepRun(id=step.id, kind=step.kind, name=step.name, status="running", started=self.now())
        effort = Effort(begun)
        try:
            call = None if is_skipped else self._prepared(step, is_streamed)
            waits = call is not None and await self._waits(step, call)
        except APIStatusError as error:
            return await self._end(effort, "failed", error=detail(error))
        if call is None:
            return await self._end(effort, "skipped")
        if waits:
            return await self._wait(step, begun, call)
        await self.record.tell(begun)
        try:
            result = await self._result(step, call, effort)
        except APIStatusError as error:
            return await self._end(effort, "failed", error=detail(error))
        return await self._end(effort, "succeeded", result=result)

    def _prepared(self, step: Step, is_streamed: bool) -> Call | None:
        """The step's call; None where its condition does not hold."""
        if step.when is not None and not holds(step.when, self.results):
            return None
        return self._call(step, step, is_streamed)

    async def _waits(self, step: Step, call: Call) -> bool:
        if self.calls.decision(step.id) is not None:
            return False
        return await self.attempts.known(lambda: self.calls.needs_approval(step, call), self._time(step))

    def _call(self, step: Step, target: Step | Fallback, is_streamed: bool) -> Call:
        arguments = resolved(target.arguments, self.results, self.config.max_argument_bytes)
        return call_of(self.run, step, target, arguments, is_streamed=is_streamed)

    async def _result(self, step: Step, call: Call, effort: Effort) -> Any:
        """The result of the call, else of the fallback's; it is kept where later steps find it."""
        if self.calls.decision(step.id) is False:
            raise PermissionDeniedError(f"{call} was not approved")
        if step.kind == "approval":
            return self._kept(step, {"approved": True})
        try:
            return self._kept(step, await self._answer(step, step, call, effort))
        except APIStatusError as error:
            if step.fallback is None or effort.has_streamed:
                raise
            message = detail(error).message
        await self.events.tell("step_output", step=effort.step, text=f"{message}; {step.fallback.name} instead")
        other = self._call(step, step.fallback, call.is_streamed)
        return self._kept(step, await self._answer(step, step.fallback, other, effort))

    async def _answer(self, step: Step, target: Step | Fallback, call: Call, effort: Effort) -> Any:
        """Each of the two targets has the step's whole time, inside of the run's."""
        if target.kind == "model":
            await self.screening.check({reference.step for reference in references(target.arguments)})
        max_attempts = min(step.max_attempts or self.config.max_attempts, self.config.max_attempts)
        return await self.attempts.result(call, effort, self._time(step), max_attempts)

    def _time(self, step: Step) -> float:
        return min(step.timeout_s or self.config.step_timeout_s, self.ends - self.clock())

    def _kept(self, step: Step, result: Any) -> Any:
        self.results.put(step.id, result)
        return result

    async def _wait(self, step: Step, begun: StepRun, call: Call) -> StepRun:
        """Whoever is to decide sees what would be sent, and what in its place where that fails."""
        shown: dict[str, Any] = {call.kind: call.name, "arguments": call.arguments}
        if step.fallback is not None:
            shown["fallback"] = {step.fallback.kind: step.fallback.name, "arguments": step.fallback.arguments}
        waiting = begun.model_copy(update={"status": "waiting", "started": None, "result": shown})
        await self.record.tell(waiting)
        return waiting

    async def _end(self, effort: Effort, status: str, **fields: Any) -> StepRun:
        started = effort.step.started if effort.attempts or status == "succeeded" else None
        ended = effort.step.model_copy(
            update={"status": status, "attempts": effort.attempts, "started": started, "finished": self.now(), **fields}
        )
        await self.record.tell(ended)
        return ended
