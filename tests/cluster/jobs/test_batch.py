"""Batches, and the rows that a model refuses."""

from __future__ import annotations

from typing import Any

import pytest

from autoglm.errors import APIStatusError, BadRequestError, NotFoundError, UnprocessableEntityError
from cluster.jobs.batch import MAX_BATCH_BYTES, batches, outcomes
from cluster.jobs.rows import Position, Row


def rows(*values: Any) -> list[Row]:
    return [Row(line, Position(line, line), value) for line, value in enumerate(values, start=1)]


class Model:
    """Predicts even numbers; refuses odd ones, by name or not."""

    def __init__(self, *, names: bool) -> None:
        self.sizes: list[int] = []
        self._names = names

    async def call(self, inputs: list[int]) -> dict[str, Any]:
        self.sizes.append(len(inputs))
        for index, value in enumerate(inputs):
            if value % 2:
                param = f"inputs[{index}]" if self._names else "inputs"
                raise UnprocessableEntityError(f"{param}: {value} is odd", param=param)
        return {"predictions": [{"label": str(value)} for value in inputs]}


@pytest.mark.parametrize("names", [True, False])
async def test_rows_that_the_model_refuses_do_not_harm_the_others(names: bool) -> None:
    """Whether the error names the input or not; the order is the input's."""
    model = Model(names=names)
    found = await outcomes([*rows(2, 3, 4, 6, 5), Row(6, Position(6, 6), fault="not JSON")], model.call)
    assert [outcome.line for outcome in found] == [1, 2, 3, 4, 5, 6]
    assert [(outcome.prediction or {}).get("label") for outcome in found] == ["2", None, "4", "6", None, None]
    assert [outcome.reason for outcome in found if outcome.bad][:2] == (
        ["input: 3 is odd", "input: 5 is odd"] if names else ["inputs: 3 is odd", "inputs: 5 is odd"]
    )
    assert model.sizes[:3] == ([5, 4, 3] if names else [5, 3, 2])


@pytest.mark.parametrize("error", [NotFoundError("task", param="task"), BadRequestError("task", param="task")])
async def test_an_error_that_is_not_about_the_inputs_is_no_rows_fault(error: APIStatusError) -> None:
    """A wrong task must not fill the errors file with good rows."""

    async def call(inputs: list[Any]) -> dict[str, Any]:
        raise error

    with pytest.raises(type(error)):
        await outcomes(rows(1, 2), call)


def test_a_batch_is_bounded_in_rows_and_in_bytes() -> None:
    """Large rows make small batches, so that memory stays bounded."""
    ends = [1, 2, 3, 4, 4 + MAX_BATCH_BYTES, 5 + MAX_BATCH_BYTES]
    cut = batches((Row(end, Position(end, 1)) for end in ends), 3, Position())
    assert [len(batch) for batch in cut] == [3, 2, 1]
