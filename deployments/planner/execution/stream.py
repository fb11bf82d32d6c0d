"""Text that comes in pieces, bounded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from autoglm.errors import PayloadTooLargeError


async def bounded(pieces: AsyncIterator[str], limit: int) -> AsyncGenerator[str]:
    """The pieces that are not empty; `pieces` is closed at the end, however it comes.

    Raises:
        PayloadTooLargeError: all together are more than `limit` bytes.
    """
    taken = 0
    try:
        async for piece in pieces:
            taken += len(piece.encode(errors="replace"))
            if taken > limit:
                raise PayloadTooLargeError(f"the text is longer than {limit:,} bytes (max_result_bytes)")
            if piece:
                yield piece
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
