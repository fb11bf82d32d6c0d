"""A file as a request's body, streamed from disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx

CHUNK_BYTES = 256 * 1024


class FileBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Read in chunks, from the beginning at each attempt; the file must not change meanwhile.

    The async client reads it in its event loop: a chunk comes from the page cache, or soon.
    """

    def __init__(self, path: Path, media_type: str) -> None:
        self._path = path
        self._media_type = media_type

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers that describe it."""
        return {"content-type": self._media_type, "content-length": str(self._path.stat().st_size)}

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk
