"""What makes two requests the same: tenant, model or task, version, lane, permissions, canonical payload."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

DIGEST_BYTES = 32

# They name, store or hasten an answer and do not change it. `stream` and `stream_options` stay: what is kept of a
# stream is its events, and whether they count tokens is part of them.
UNSEEN = frozenset({"user", "metadata", "store", "service_tier", "priority"})


class Key(NamedTuple):
    """Where an answer is kept: all four fields are compared, so that not even equal digests cross tenants."""

    tenant: str
    name: str
    version: str
    digest: bytes  # shape (DIGEST_BYTES,)

    def is_of(self, name: str, version: str | None) -> bool:
        """Whether it is of this model; of this version too, where one is named."""
        return self.name == name and version in (None, self.version)


def key_of(*, tenant: str, name: str, version: str, lane: str, permissions: str, payload: Mapping[str, Any]) -> Key:
    """The key of a request, with `fingerprint` as its digest."""
    digest = fingerprint(tenant=tenant, name=name, version=version, lane=lane, permissions=permissions, payload=payload)
    return Key(tenant, name, version, digest)


def fingerprint(
    *, tenant: str, name: str, version: str, lane: str, permissions: str, payload: Mapping[str, Any]
) -> bytes:
    """BLAKE2b-256 (RFC 7693) of the fields, each behind its length, and of the payload's canonical JSON.

    The lengths make the encoding unambiguous: no text moved from one field to another gives the same bytes.

    Raises:
        TypeError: the payload is not JSON.
    """
    digest = known(tenant, name, version, lane, permissions).copy()
    add(digest, canonical(payload))
    return digest.digest()


@lru_cache(maxsize=1024)
def known(*fields: str) -> hashlib.blake2b:
    """What a caller's requests for one model begin with, to be copied."""
    return begun(fields, DIGEST_BYTES)


def begun(fields: Iterable[str], digest_bytes: int) -> hashlib.blake2b:
    """BLAKE2b of the fields, to which more may be added."""
    digest = hashlib.blake2b(digest_size=digest_bytes)
    for field in fields:
        add(digest, field.encode("utf-8", "surrogatepass"))  # lone surrogates are bytes like others here
    return digest


def add(digest: hashlib.blake2b, part: bytes) -> None:
    """One more part, behind its length of eight bytes."""
    digest.update(len(part).to_bytes(8, "big"))
    digest.update(part)


def canonical(payload: Mapping[str, Any]) -> bytes:
    """JSON in one form: sorted keys, no spaces; 1, 1.0 and true are three values, null at the top is absence."""
    seen = {field: value for field, value in payload.items() if field not in UNSEEN and value is not None}
    if not seen.get("stream"):
        seen.pop("stream", None)
    try:
        encoded = orjson.dumps(seen, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # integers of more than 64 bits and lone surrogates, which the standard library takes
        return exact(seen)
    return exact(seen) if b"null" in encoded else b"o" + encoded


def exact(payload: dict[str, Any]) -> bytes:
    """The standard library's JSON, slower, in which NaN and the infinities are not null, as they are to orjson."""
    return b"j" + json.dumps(payload, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")


def is_deterministic(payload: Mapping[str, Any]) -> bool:
    """Whether a generation gives the same text each time: greedy, by temperature 0 or the one likeliest token.

    Where neither is said the model's own defaults hold, which the router does not know.
    """
    temperature, top_k = payload.get("temperature"), payload.get("top_k")
    return (temperature is not None and temperature == 0) or top_k == 1
