"""What a computation hands to the cache, and what the cache hands to its caller."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

Meta = Mapping[str, str | int]
State = Literal["hit", "miss", "bypass"]

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class Computed:
    """A whole answer as the bytes of its body, and what the caller needs to know beside it.

    One that is not `storable`, because something else stood in for the model, is passed on and forgotten.
    """

    body: bytes
    meta: Meta = field(default_factory=dict)
    storable: bool = True


@dataclass(frozen=True, slots=True)
class Started:
    """An answer whose server-sent events are yet to come."""

    events: AsyncGenerator[bytes]
    meta: Meta = field(default_factory=dict)
    storable: bool = True


@dataclass(frozen=True, slots=True)
class Answer(Generic[Body]):
    """An answer and where it came from.

    `hit`: kept since `age_s` seconds. `miss`: computed, for this request or for an identical one at the same time
    (`collapsed` in RFC 9211, which counts it as forwarded too). `bypass`: the cache had no part in it.
    """

    body: Body
    state: State
    age_s: float = 0.0
    meta: Meta = field(default_factory=dict)


Compute = Callable[[], Awaitable[Computed]]
Start = Callable[[], Awaitable[Started]]
