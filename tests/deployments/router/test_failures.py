"""What Ray and Serve raise, in terms of the error tree."""

from __future__ import annotations

from typing import Any

import pytest
from ray.exceptions import ActorDiedError, RayTaskError
from ray.serve.exceptions import BackPressureError

from autoglm.errors import APIStatusError, BadRequestError, UnavailableError, UpstreamError
from deployments.router.failures import translated


def from_replica(cause: Exception) -> Any:
    """An exception as Ray hands it to the caller: the replica's own class and Ray's at once."""
    return RayTaskError("predict", "Traceback: secret.py", cause, "replica", 1, "127.0.0.1").as_instanceof_cause()


def raised(fault: Exception) -> APIStatusError:
    with pytest.raises(APIStatusError) as caught, translated("sentiment"):
        raise fault
    return caught.value


def test_what_a_replica_refuses_reaches_the_caller_as_it_was() -> None:
    """The class, the field and the words survive Ray's wrapping, and its traceback does not."""
    error = raised(from_replica(BadRequestError("max_tokens: got -1", param="max_tokens")))
    assert type(error) is BadRequestError
    assert (error.message, error.param) == ("max_tokens: got -1", "max_tokens")


def test_a_fault_of_a_replicas_code_is_named_without_its_details() -> None:
    """The caller hears which target and what kind; traceback and values stay in the log."""
    error = raised(from_replica(ValueError("password=hunter2")))
    assert isinstance(error, UpstreamError)
    assert error.message == "sentiment failed: ValueError"


@pytest.mark.parametrize("fault", [ActorDiedError(), ConnectionResetError("peer")])
def test_a_dead_replica_is_an_upstream_error_with_a_time_to_retry(fault: Exception) -> None:
    """By actor death or by a broken gRPC connection, it reads the same."""
    error = raised(fault)
    assert isinstance(error, UpstreamError)
    assert error.retry_after
    assert "sentiment" in error.message


def test_backpressure_is_unavailability_with_a_time_to_retry() -> None:
    """Serve's refusal of more requests is no failure of the model."""
    error = raised(BackPressureError(num_queued_requests=9, max_queued_requests=8))
    assert isinstance(error, UnavailableError)
    assert error.retry_after


def test_a_fault_of_the_routers_own_is_not_dressed_up() -> None:
    """A programming error must surface as one, as a 500 with its traceback in the log."""
    with pytest.raises(KeyError), translated("sentiment"):
        raise KeyError("bug")
