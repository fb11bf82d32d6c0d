"""Errands sent, approved and cancelled by the SDK's client, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime

from autoglm import AsyncAutoClient
from autoglm.client.retry import RetryPolicy
from autoglm.contract.task_run import ENDED, TaskRun
from autoglm.errors import AutoGLMError, ConflictError
from benchmarks.chaos.runs.errands import Errand
from deployments.clock import Clock, utc_now

# A call is repeated under one idempotency key until a cluster is there again that was started anew.
PATIENT = RetryPolicy(max_attempts=10_000, max_time_s=600.0, cap_s=2.0)
LOOK_S = 1.0

logger = logging.getLogger(__name__)


@dataclass
class Sent:
    """An errand that is sent at this time of day, and its run as it was last told; none where it is not known."""

    errand: Errand
    at: datetime
    run: TaskRun | None = None


class Traffic:
    """The errands of one client, until they have ended."""

    def __init__(self, client: AsyncAutoClient, now: Clock = utc_now) -> None:
        self._client = client
        self._now = now
        self.sent: list[Sent] = []

    async def send(self, errand: Errand) -> None:
        """Begin a run, and cancel it where that is what is to become of it."""
        sent = Sent(errand, self._now())
        self.sent.append(sent)
        try:
            sent.run = await self._client.run(errand.instruction, plan=errand.plan, background=True)
        except AutoGLMError as error:
            logger.warning("%s was not taken: %s", errand.instruction, error.message)
            return
        if errand.cancel_s is not None:
            await asyncio.sleep(errand.cancel_s)
            await self._cancel(sent.run.id)

    async def attend(self, is_all_sent: asyncio.Event) -> None:
        """Approve what waits, until all is sent and has ended."""
        while True:
            is_last = is_all_sent.is_set()
            left = [run for run in await self._kept() if run.status not in ENDED]
            for run in left:
                if run.waiting_for is not None:
                    await self._approve(run.id, run.waiting_for)
            if is_last and not left:
                return
            await asyncio.sleep(LOOK_S)

    async def collect(self) -> set[str]:
        """Take every run as it is kept now; the ids of those that were begun once too often."""
        known = {sent.run.id: sent for sent in self.sent if sent.run is not None}
        kept = {run.id for run in await self._kept()}
        for run, sent in known.items():
            sent.run = await self._client.tasks.get(run) if run in kept else None
        return kept - known.keys()

    async def _kept(self) -> list[TaskRun]:
        """Every run of an errand, whoever sent it, without its steps; others may be on the same cluster."""
        asked = {sent.errand.instruction for sent in self.sent}
        return [run async for run in self._client.tasks.list() if run.instruction in asked]

    async def _approve(self, run: str, step: str) -> None:
        """The client sends a decision once; whether it arrived is seen at the next look."""
        try:
            await self._client.tasks.approve(run, step)
        except AutoGLMError as error:
            logger.warning("%s is not approved yet: %s", run, error.message)

    async def _cancel(self, run: str) -> None:
        """Until it is heard; a run that has ended cannot be cancelled any more."""
        while True:
            try:
                await self._client.tasks.cancel(run)
                return
            except ConflictError:
                return
            except AutoGLMError as error:
                logger.warning("%s is not cancelled yet: %s", run, error.message)
            await asyncio.sleep(LOOK_S)
