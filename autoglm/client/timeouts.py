"""How long is waited."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import httpx

from autoglm.client.step import Limit
from autoglm.errors import ConfigError

CONNECT_TIMEOUT_S = 5.0  # a server that is there accepts at once, however long its answers take
READ_TIMEOUT_S = 600.0  # a long answer that is not streamed sends its first byte when it is whole


@dataclass(frozen=True)
class Timeouts:
    """Seconds: `connect` to reach the server, `read` the longest silence, `total` all attempts and waits of a call.

    Raises:
        ConfigError: one of them is no positive number.
    """

    connect: float = CONNECT_TIMEOUT_S
    read: float = READ_TIMEOUT_S
    total: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name == "total":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise ConfigError(f"timeout.{field.name}: got {value!r}; a positive number of seconds does")

    @classmethod
    def of(cls, value: Timeouts | float) -> Timeouts:
        """One number is the longest silence; to connect never takes longer than by default.

        Raises:
            ConfigError: it is no positive number.
        """
        if isinstance(value, Timeouts):
            return value
        silence = cls(read=value)
        return cls(connect=min(silence.read, CONNECT_TIMEOUT_S), read=silence.read)

    def http(self, limit: Limit | None = None) -> httpx.Timeout:
        """The same for httpx, none of them longer than what is left of the whole call."""
        left = math.inf if limit is None else limit.left()
        return httpx.Timeout(min(self.read, left), connect=min(self.connect, left))
