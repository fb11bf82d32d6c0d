"""An answer outside the process."""

from __future__ import annotations

import orjson
import pytest

from deployments.router.cache.entry import HEADER, MAGIC, Entry, decode, encode, seal
from tests.deployments.router.cache.engine import key

ENTRY = Entry(key(), "stream", (b"one", b"", b"two\x00"), {"model": "chat", "tokens": 3}, 12.5)


def test_what_is_read_is_what_was_written() -> None:
    """Parts of any bytes and length, and the meta with its types."""
    assert decode(encode(ENTRY), ENTRY.key) == ENTRY


@pytest.mark.parametrize("other", [key(tenant="b"), key("other"), key(version="v2")])
def test_an_entry_of_another_key_is_none(other: object) -> None:
    """Whatever mixed them up: a value is only ever read under the key that it was written for."""
    with pytest.raises(ValueError, match="not an entry"):
        decode(encode(ENTRY), other)  # type: ignore[arg-type]


def test_a_value_that_lost_or_changed_a_byte_is_none() -> None:
    """No damage passes for an answer."""
    value = encode(ENTRY)
    damaged = [value[:index] + bytes([value[index] ^ 1]) + value[index + 1 :] for index in range(len(value))]
    for data in [*damaged, value[:-1], value + b"x", b"", b"null", MAGIC]:
        with pytest.raises(ValueError, match="not an entry"):
            decode(data, ENTRY.key)


@pytest.mark.parametrize(
    "header",
    [
        b"{}",
        b"[]",
        b"{",
        b'{"kind":"whole","meta":{},"stored_at":1,"sizes":[9]}',
        b'{"kind":"x","meta":{},"sizes":[1]}',
    ],
)
def test_a_sealed_value_of_another_form_is_none(header: bytes) -> None:
    """A program of another version may have written it."""
    content = HEADER.pack(len(header)) + header + b"x"
    with pytest.raises(ValueError, match=r"."):
        decode(MAGIC + seal(ENTRY.key, content) + content, ENTRY.key)


def test_no_tenant_is_legible_in_a_value() -> None:
    """Who reads Redis learns answers, and not whose they are."""
    value = encode(Entry(key(tenant="acme-corp"), "whole", (orjson.dumps({}),), {}, 1.0))
    assert b"acme" not in value
