"""Server-sent events out of bytes, wherever the network cut them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autoglm.errors import APIConnectionError

MAX_EVENT_BYTES = 8 * 1024 * 1024  # the server's own limit on a body

_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventParser:
    """Takes chunks of a `text/event-stream` and gives the data of each finished event.

    The format is the WHATWG HTML standard's, section 9.2.6; fields other than `data` are passed over.
    """

    def __init__(self) -> None:
        self._line = b""
        self._data: list[bytes] = []
        self._after_return = False

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The events that this chunk finishes.

        Raises:
            APIConnectionError: an event grows beyond `MAX_EVENT_BYTES`.
        """
        *lines, self._line = _LINE_END.split(self._line + self._rest_of_line_end(chunk))
        for line in lines:
            if line:
                self._take(line)
            elif self._data:
                yield self._dispatch()
        if len(self._line) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise APIConnectionError(f"the stream sent an event of more than {MAX_EVENT_BYTES} bytes; it was given up")

    def _rest_of_line_end(self, chunk: bytes) -> bytes:
        """A line feed that opens this chunk belongs to the carriage return that closed the last."""
        rest = chunk.removeprefix(b"\n") if self._after_return else chunk
        self._after_return = chunk.endswith(b"\r")
        return rest

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))

    def _dispatch(self) -> str:
        data, self._data = self._data, []
        return b"\n".join(data).decode("utf-8", errors="replace")
