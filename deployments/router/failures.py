"""What Ray and Serve raise, in terms of the error tree. One place, so that no caller knows their exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, RayServeException

from autoglm.errors import APIStatusError, UnavailableError, UpstreamError

RETRY_AFTER_S = 1.0  # about what Serve takes to notice a dead replica and route around it


class ReplicaLostError(UpstreamError):
    """502: the replica died or hangs, with everything that was under way on it."""


def translate(fault: BaseException, target: str) -> APIStatusError:
    """The error that the caller sees for a fault of the call to `target`."""
    cause = fault.cause if isinstance(fault, RayTaskError) else fault
    if isinstance(cause, APIStatusError):
        return cause
    if isinstance(cause, BackPressureError | DeploymentUnavailableError):
        return UnavailableError(f"{target} takes no more requests at the moment", retry_after=RETRY_AFTER_S)
    if isinstance(fault, RayTaskError):
        return UpstreamError(f"{target} failed: {type(cause).__name__}")
    return ReplicaLostError(f"the replica of {target} that served this request died", retry_after=RETRY_AFTER_S)


@contextmanager
def translated(target: str) -> Iterator[None]:
    """Raise what a call to `target` raises as one of the error tree."""
    try:
        yield
    except APIStatusError as error:
        raise translate(error, target) from None
    except (RayError, RayServeException, grpc.RpcError, ConnectionError) as fault:
        raise translate(fault, target) from fault
