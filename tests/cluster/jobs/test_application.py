"""Calls by handle."""

from __future__ import annotations

from typing import Any

import pytest
from ray.exceptions import ActorDiedError, RayTaskError

from autoglm.errors import APIStatusError, UnprocessableEntityError, UpstreamError
from cluster.jobs.application import predict_by

REFUSED = UnprocessableEntityError("inputs[3]: too long", param="inputs[3]")


class Handle:
    """A deployment handle whose every call ends in `fault`."""

    def __init__(self, fault: BaseException) -> None:
        self._fault = fault
        self.predict = self

    async def remote(self, task: str, inputs: list[Any]) -> dict[str, Any]:
        raise self._fault


@pytest.mark.parametrize(
    ("fault", "expected", "param"),
    [
        (RayTaskError("predict", "", REFUSED).as_instanceof_cause(), UnprocessableEntityError, "inputs[3]"),
        (REFUSED, UnprocessableEntityError, "inputs[3]"),
        (ActorDiedError(), UpstreamError, None),
    ],
)
async def test_what_a_handle_raises_is_of_the_error_tree(
    fault: BaseException, expected: type[APIStatusError], param: str | None
) -> None:
    """A refusal keeps the input that it names, wrapped by Ray or not; a dead router replica may be tried again."""
    with pytest.raises(expected) as raised:
        await predict_by(Handle(fault))("t", ["x"])
    assert raised.value.code == expected.code
    assert raised.value.param == param
