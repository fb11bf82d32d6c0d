"""Rows in batches: cut from the input, predicted in one call each, freed of the rows that the model refuses."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from autoglm.errors import APIStatusError, UpstreamError
from cluster.jobs.outcome import Outcome
from cluster.jobs.rows import Position, Row

Call = Callable[[list[Any]], Awaitable[dict[str, Any]]]  # inputs -> the body of `POST /v1/predict`

MAX_BATCH_BYTES = 8 * 2**20  # of input; bounds what a job holds in memory, whatever its rows are
NAMED_INPUT = re.compile(r"inputs\[(\d+)\]")


def batches(rows: Iterator[Row], size: int, start: Position) -> Iterator[list[Row]]:
    """Lists of at most `size` rows; `start` is where the first row's line begins."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size or row.end.offset - start.offset >= MAX_BATCH_BYTES:
            yield batch
            batch, start = [], row.end
    if batch:
        yield batch


async def outcomes(rows: list[Row], call: Call) -> list[Outcome]:
    """One outcome for each row, in order.

    Raises:
        APIStatusError: the call failed for a reason that no row of the batch is to blame for.
    """
    found = [Outcome(row.line, reason=row.fault) for row in rows if row.fault is not None]
    groups = [[row for row in rows if row.fault is None]]
    while groups:
        group = groups.pop()
        try:
            found += await predicted(group, call)
        except APIStatusError as error:
            if not refuses_inputs(error):
                raise
            refused, rest = divide(group, error)
            found += refused
            groups += rest
    return sorted(found, key=lambda outcome: outcome.line)


async def predicted(rows: list[Row], call: Call) -> list[Outcome]:
    """The predictions of one call."""
    if not rows:
        return []
    predictions = (await call([row.value for row in rows]))["predictions"]
    if len(predictions) != len(rows):
        raise UpstreamError(f"the model gave {len(predictions)} predictions for {len(rows)} inputs")
    return [Outcome(row.line, prediction) for row, prediction in zip(rows, predictions, strict=True)]


def refuses_inputs(error: APIStatusError) -> bool:
    """That the model will not take one of the inputs, however often it is asked."""
    return 400 <= error.status < 500 and not error.retryable and (error.param or "").startswith("inputs")


def divide(rows: list[Row], error: APIStatusError) -> tuple[list[Outcome], list[list[Row]]]:
    """The row to blame, and the others; halves of the batch where the error names none of several."""
    named = NAMED_INPUT.match(error.param or "")
    index = int(named[1]) if named else 0
    if index >= len(rows) or (named is None and len(rows) > 1):
        middle = len(rows) // 2
        return [], [rows[:middle], rows[middle:]]
    # The place in the batch means nothing to who reads the errors file.
    reason = error.message.replace(f"inputs[{index}]", "input")
    return [Outcome(rows[index].line, reason=reason)], [rows[:index] + rows[index + 1 :]]
