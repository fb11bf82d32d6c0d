"""A run's answer: the plan's own text, or its results put into words."""

from __future__ import annotations

from contextlib import aclosing

from autoglm.contract.plan import Plan
from deployments.boundary import plain_errors
from deployments.planner.execution.config import ExecutionConfig
from deployments.planner.execution.events import Events
from deployments.planner.execution.results import Results
from deployments.planner.execution.screening import Screening
from deployments.planner.execution.seams import Compose
from deployments.planner.execution.stream import bounded
from deployments.planner.references import Reference, parsed, references, resolved
from deployments.planner.size import text


def answering_step(plan: Plan) -> str | None:
    """The step whose result as a whole is the answer, so that a model's text can be shown as it is written."""
    match parsed(plan.answer or ""):
        case [Reference(step=step, path=())]:
            return step
    return None


class Answering:
    """Answers one instruction."""

    def __init__(
        self,
        instruction: str,
        compose: Compose,
        results: Results,
        screening: Screening,
        events: Events,
        config: ExecutionConfig,
    ) -> None:
        self._instruction = instruction
        self._compose = compose
        self._results = results
        self._screening = screening
        self._events = events
        self._max_bytes = config.max_result_bytes

    async def answer(self, plan: Plan) -> str:
        """The plan's text with its references; without one, or where a step of it was skipped, what `compose` says.

        Raises:
            APIStatusError: a reference leads nowhere, the answer is too long, or `compose` failed.
        """
        if plan.answer is not None and all(one.step in self._results for one in references(plan.answer)):
            return text(resolved(plan.answer, self._results, self._max_bytes))
        with plain_errors("the answer"):
            return await self._composed()

    async def _composed(self) -> str:
        pieces: list[str] = []
        words = self._compose(self._instruction, await self._screening.shown())
        async with aclosing(bounded(words, self._max_bytes)) as stream:
            async for piece in stream:
                pieces.append(piece)
                await self._events.tell("token", text=piece)
        return "".join(pieces)
