"""What a request's `cache-control` header asks for (RFC 9111, section 5.2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.request import parse_http_list

FOREVER_S = 2**31  # what a larger number of seconds counts as (RFC 9111, section 1.2.2)
MAX_DIGITS = 10  # those of FOREVER_S


@dataclass(frozen=True, slots=True)
class CacheDirectives:
    """`no_store`: neither read nor kept. `no_cache`: computed anew, and kept. `max_age_s`: the oldest that will do."""

    no_store: bool = False
    no_cache: bool = False
    max_age_s: int | None = None

    def admits(self, age_s: float) -> bool:
        """Whether an answer of this age may be given."""
        return self.max_age_s is None or age_s <= self.max_age_s


ANYTHING = CacheDirectives()


@lru_cache(maxsize=64)  # headers are few, and alike
def directives_of(header: str | None) -> CacheDirectives:
    """The directives of a header; unknown and malformed ones are as good as absent, as the RFC wants it.

    `max-stale`, `min-fresh` and `only-if-cached` are not supported. Of several `max-age` the least counts.
    """
    if not header:
        return ANYTHING
    found = list(members(header))
    names = {name for name, _ in found}
    ages = [seconds(value) for name, value in found if name == "max-age" and is_seconds(value)]
    return CacheDirectives("no-store" in names, "no-cache" in names, min(ages, default=None))


def members(header: str) -> Iterator[tuple[str, str]]:
    """Name, in lower case, and argument of each member of the list; an argument may stand in quotes."""
    for member in parse_http_list(header):
        name, _, value = member.partition("=")
        yield name.lower(), value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def is_seconds(value: str) -> bool:
    """Whether an argument is a number of seconds: ASCII digits and nothing else."""
    return value.isascii() and value.isdigit()


def seconds(value: str) -> int:
    """The number, at most FOREVER_S; the digits of a longer one are not read."""
    digits = value.lstrip("0") or "0"
    return FOREVER_S if len(digits) > MAX_DIGITS else min(int(digits), FOREVER_S)
