"""The results of a run's steps, by the step's id: kept whole, and bounded in bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from autoglm.errors import PayloadTooLargeError, UpstreamError
from deployments.planner.size import size


class Results(Mapping[str, Any]):
    """At most `max_each` bytes of one and `max_all` of all of them, as `deployments.planner.size` counts.

    `before` are those of an earlier execution: they were within the bounds when they came, and count.
    """

    def __init__(self, max_each: int, max_all: int, before: Mapping[str, Any]) -> None:
        self._max_each = max_each
        self._max_all = max_all
        self._values = dict(before)
        self._left = max_all - sum(size(value, max_all) for value in self._values.values())

    def __getitem__(self, step: str) -> Any:
        return self._values[step]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def put(self, step: str, value: Any) -> None:
        """Keep the result of a step that has none yet.

        Raises:
            PayloadTooLargeError: it is too large, or all together are.
            UpstreamError: it is no JSON value.
        """
        taken = self._size(value)
        if taken > self._max_each:
            raise PayloadTooLargeError(
                f"the result is larger than {self._max_each:,} bytes (max_result_bytes); ask for less of it"
            )
        if taken > self._left:
            raise PayloadTooLargeError(
                f"with this result the run would keep more than {self._max_all:,} bytes (max_results_bytes)"
            )
        self._left -= taken
        self._values[step] = value

    def _size(self, value: Any) -> int:
        try:
            return size(value, self._max_each)
        except ValueError as fault:
            raise UpstreamError(f"the result is no JSON value: {fault}") from fault
