"""A large body, streamed into a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from autoglm.errors import BadRequestError, PayloadTooLargeError, UnsupportedMediaTypeError

SILENCE_S = 60.0  # the longest time in which nothing comes
CHUNK_BYTES = 1024 * 1024


async def receive(request: Request, path: Path, *, media_type: str, max_bytes: int) -> None:
    """Write the request's body into a new file, in bounded memory.

    Raises:
        UnsupportedMediaTypeError: it is not of `media_type`.
        PayloadTooLargeError: it has more than `max_bytes`, or says so.
        BadRequestError: it broke off, or nothing came for too long.
    """
    check_media_type(request.headers.get("content-type", ""), media_type)
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > max_bytes:
        raise too_large(max_bytes)
    size = 0
    with await run_in_threadpool(path.open, "xb") as file:
        async for chunk in gathered(request):
            size += len(chunk)
            if size > max_bytes:
                raise too_large(max_bytes)
            await run_in_threadpool(file.write, chunk)


async def gathered(request: Request) -> AsyncIterator[bytearray]:
    """The body in pieces of about CHUNK_BYTES: a server hands it over in far smaller ones."""
    pieces, held = aiter(request.stream()), bytearray()
    while (piece := await next_piece(pieces)) is not None:
        held += piece
        if len(held) >= CHUNK_BYTES:
            yield held
            held = bytearray()
    yield held


async def next_piece(pieces: AsyncIterator[bytes]) -> bytes | None:
    """The next piece of a body; None after the last."""
    try:
        async with asyncio.timeout(SILENCE_S):
            return await anext(pieces, None)
    except TimeoutError:
        raise BadRequestError(f"body: nothing came for {SILENCE_S:g} s; send it again", param="body") from None
    except ClientDisconnect:
        raise BadRequestError("body: the connection broke before its end; send it again", param="body") from None


def check_media_type(content_type: str, media_type: str) -> None:
    """Raises UnsupportedMediaTypeError for any other, whatever its parameters."""
    if content_type.partition(";")[0].strip().lower() != media_type:
        raise UnsupportedMediaTypeError(
            f"content-type: got {content_type[:100]!r}; send {media_type}", param="content-type"
        )


def too_large(max_bytes: int) -> PayloadTooLargeError:
    """The refusal of a body."""
    return PayloadTooLargeError(f"body: got more than {max_bytes:,} bytes, the most that is taken", param="body")
