"""What a request's headers say about how it is to be answered."""

from __future__ import annotations

import math

import pytest
from starlette.requests import Request

from autoglm.contract.scope import Scope
from autoglm.errors import BadRequestError
from deployments.access import Principal
from deployments.router import Call, Priority
from serve_app.http.call import call_of

CALLER = Principal(kind="key", id="key_1", tenant="acme", scopes=(Scope("chat"),), models=("chat",))
LONGEST_S = 60.0


def called(caller: Principal = CALLER, **headers: str) -> Call:
    """The context of a request with these headers, underscores for hyphens."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "headers": raw, "state": {"address": "192.0.2.1"}})
    return call_of(request, caller, longest_s=LONGEST_S)


def test_who_says_nothing_has_the_longest_time_and_is_interactive() -> None:
    """Whom it is for comes from the credential alone."""
    call = called()
    assert (call.deadline.seconds, call.priority, call.is_strict) == (LONGEST_S, Priority.INTERACTIVE, False)
    assert (call.tenant, call.key, call.session, call.address) == ("acme", "key:key_1", None, "192.0.2.1")


def test_every_header_is_taken() -> None:
    """Deadline, priority, strictness, session and cache directives."""
    call = called(
        x_request_timeout_s="2.5",
        x_autoglm_priority="batch",
        x_autoglm_strict="true",
        x_session_id="s1",
        cache_control="max-age=5",
    )
    assert (call.deadline.seconds, call.priority, call.is_strict) == (2.5, Priority.BATCH, True)
    assert (call.session, call.directives.max_age_s) == ("s1", 5)


@pytest.mark.parametrize("asked", ["61", "1e9", "inf"])
def test_a_deadline_is_capped_by_the_configuration(asked: str) -> None:
    """Nobody holds a place for longer than the operator allows."""
    assert called(x_request_timeout_s=asked).deadline.seconds == LONGEST_S


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-request-timeout-s", "soon"),
        ("x-request-timeout-s", "0"),
        ("x-request-timeout-s", "-1"),
        ("x-request-timeout-s", str(math.nan)),
        ("x-autoglm-priority", "urgent"),
        ("x-autoglm-strict", "yes"),
    ],
)
def test_a_wrong_header_is_named_with_what_it_got(header: str, value: str) -> None:
    """One that is ignored in silence would be believed."""
    with pytest.raises(BadRequestError, match=f"{header}: got {value!r}") as caught:
        called(**{header.replace("-", "_"): value})
    assert caught.value.param == header


def test_permissions_are_the_same_only_where_everything_is() -> None:
    """Answers are shared within a tenant by callers who may use the same; order says nothing."""
    alike = CALLER.model_copy(update={"id": "key_2"})
    other_models = CALLER.model_copy(update={"models": ("chat", "small")})
    all_models = CALLER.model_copy(update={"models": None})
    other_scopes = CALLER.model_copy(update={"scopes": (Scope("chat"), Scope("predict"))})
    assert called(alike).permissions == called().permissions
    assert len({called(caller).permissions for caller in (CALLER, other_models, all_models, other_scopes)}) == 4
