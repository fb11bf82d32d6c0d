"""One kept answer, and its form outside the process."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Literal

import orjson

from deployments.router.cache.answer import Meta
from deployments.router.cache.fingerprint import Key, add, begun

Kind = Literal["whole", "stream", "error"]
KINDS = ("whole", "stream", "error")

MAGIC = b"autoglm1"  # another form gets another number, and what is kept in this one is then a miss
SEAL_BYTES = 16
HEADER = struct.Struct(">I")  # the length of the header
PREAMBLE_BYTES = len(MAGIC) + SEAL_BYTES + HEADER.size
PART_BYTES = 41  # a bytes object's own size and its place in a tuple
ENTRY_BYTES = 1024  # key, meta and the tables' own, about


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer: its body (one part), its events (a part each), or the error that it was."""

    key: Key
    kind: Kind
    parts: tuple[bytes, ...]
    meta: Meta
    stored_at: float  # Unix seconds: processes on several machines read it

    @property
    def size(self) -> int:
        """About the bytes that it takes in memory."""
        return ENTRY_BYTES + sum(map(len, self.parts)) + PART_BYTES * len(self.parts)


def encode(entry: Entry) -> bytes:
    """Mark, seal, header, parts. The seal is a checksum of the key and of all that follows: no secret is in it."""
    header = orjson.dumps(
        {
            "kind": entry.kind,
            "meta": dict(entry.meta),
            "stored_at": entry.stored_at,
            "sizes": [len(part) for part in entry.parts],
        }
    )
    content = b"".join((HEADER.pack(len(header)), header, *entry.parts))
    return MAGIC + seal(entry.key, content) + content


def decode(data: bytes, key: Key) -> Entry:
    """The entry that was kept under this key.

    Raises:
        ValueError: it is of another form, damaged, or another key's, and so perhaps another tenant's.
    """
    content = data[len(MAGIC) + SEAL_BYTES :]
    if not data.startswith(MAGIC) or data[len(MAGIC) : PREAMBLE_BYTES - HEADER.size] != seal(key, content):
        raise ValueError("not an entry of this key")
    try:
        (length,) = HEADER.unpack_from(content)
        header = orjson.loads(content[HEADER.size : HEADER.size + length])
        return entry_of(key, header, content[HEADER.size + length :])
    except (struct.error, KeyError, TypeError) as fault:
        raise ValueError("sealed, and not an entry") from fault


def entry_of(key: Key, header: dict[str, Any], body: bytes) -> Entry:
    """Header and parts, checked to fit each other."""
    ends = list(accumulate(header["sizes"], initial=0))
    if header["kind"] not in KINDS or ends[-1] != len(body):
        raise ValueError("the parts are not those of the header")
    parts = tuple(body[start:end] for start, end in pairwise(ends))
    return Entry(key, header["kind"], parts, dict(header["meta"]), float(header["stored_at"]))


def seal(key: Key, content: bytes) -> bytes:
    """BLAKE2b-128 of key and content, each field behind its length."""
    digest = begun((key.tenant, key.name, key.version, key.digest.hex()), SEAL_BYTES)
    add(digest, content)
    return digest.digest()
