"""The replicas of a deployment, asked all at once by handle."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from autoglm.errors import UnavailableError

Reach = Callable[[str, str], Any]  # (deployment, app) -> a Serve DeploymentHandle

# A replica answers from memory, in milliseconds; one that takes longer hangs, and is reported as silent.
TIMEOUT_S = 2.0

logger = logging.getLogger("ray.serve")


def threaded_handle(deployment: str, app: str) -> Any:
    """A handle whose answers can be waited for in a thread; a replica's own are bound to its event loop."""
    handle: Any = DeploymentHandle(deployment, app)
    handle._init(_run_router_in_separate_loop=True)
    return handle


class Replicas:
    """Those of one deployment. `whom` is what errors call it. Every call blocks, for about `TIMEOUT_S` at most."""

    def __init__(self, whom: str, deployment: str, app: str, reach: Reach = threaded_handle) -> None:
        self._whom = whom
        self._deployment = deployment
        self._app = app
        self._reach = reach
        self._handle: Any = None  # made when it is first needed, which is after Serve has begun

    def asked(self, method: str, timeout_s: float = TIMEOUT_S) -> tuple[list[Any], int]:
        """The answers of those replicas that gave one in time, and how many were asked.

        Raises:
            UnavailableError: none does, or there is none.
        """
        try:
            if self._handle is None:
                self._handle = self._reach(self._deployment, self._app)
            answers = self._handle.broadcast(method).results(timeout_s=timeout_s, return_exceptions=True)
        except (RayError, RayServeException, TimeoutError) as fault:
            raise self._unavailable(fault) from fault
        faults = [answer for answer in answers if isinstance(answer, BaseException)]
        for silent in faults:
            logger.warning("a replica of %s did not tell its %s: %r", self._whom, method, silent)
        if len(faults) == len(answers):
            raise self._unavailable(*faults[:1])
        return [answer for answer in answers if not isinstance(answer, BaseException)], len(answers)

    def close(self) -> None:
        """Let go of the handle, which asks Serve's controller for news as long as it lives."""
        if self._handle is not None:
            self._handle.shutdown()

    def _unavailable(self, fault: BaseException | None = None) -> UnavailableError:
        reason = "there is none" if fault is None else type(fault).__name__
        return UnavailableError(f"no replica of {self._whom} answers: {reason}", retry_after=1.0)
