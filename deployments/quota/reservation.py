"""What one call has reserved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from deployments.quota.headers import rate_limit_headers
from deployments.quota.windows import NOTHING, Amount, Standing

Book = Callable[[Amount, Amount], None]  # (reserved, used)


class Reservation:
    """To be settled once the call is over, whatever became of it; until then, what it reserved is nobody else's."""

    __slots__ = ("_at", "_book", "_free", "_standings", "reserved")

    def __init__(
        self, reserved: Amount, book: Book, standings: tuple[Standing, ...], at: datetime, *, free: Amount = NOTHING
    ) -> None:
        self.reserved = reserved
        self._book: Book | None = book
        self._standings = standings
        self._at = at
        self._free = free

    def settle(self, used: Amount) -> None:
        """Book what was used, more or less than was reserved; the second time nothing is done."""
        book, self._book = self._book, None
        if book is not None:
            book(self.reserved, used)

    def headers(self) -> dict[str, str]:
        """OpenAI's six, as things stood when the call was admitted; none without a quota."""
        return rate_limit_headers(self._standings, self._at, free=self._free)


class Unlimited(Reservation):
    """Of a caller without a quota: nothing to book, nothing to tell."""

    __slots__ = ()

    def __init__(self, reserved: Amount) -> None:
        self.reserved = reserved

    def settle(self, used: Amount) -> None:
        """Nothing."""

    def headers(self) -> dict[str, str]:
        """None."""
        return {}
