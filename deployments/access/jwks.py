"""A JSON Web Key Set (RFC 7517) as it is trusted here: public signing keys of three families and nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

Algorithm = Literal["RS256", "ES256", "EdDSA"]

MAX_KEYS = 100
MIN_RSA_BITS = 2048  # RFC 7518, section 3.3


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys, each bound to the one algorithm of its family; `ignored` others were in the document."""

    keys: tuple[PyJWK, ...]
    ignored: int = 0

    def find(self, kid: str | None) -> PyJWK | None:
        """The key with this id; for a token that names none, the only key, where there is but one."""
        if kid is None:
            return self.keys[0] if len(self.keys) == 1 else None
        return next((key for key in self.keys if key.key_id == kid), None)


def parse(document: bytes, algorithms: Collection[Algorithm]) -> KeySet:
    """The keys of a document that are for one of `algorithms`.

    Raises:
        ValueError: it is no key set, or has more than MAX_KEYS keys. A key that cannot be used is ignored.
    """
    try:
        content = json.loads(document)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    entries = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ValueError("it has no list 'keys'")
    if len(entries) > MAX_KEYS:
        raise ValueError(f"it has {len(entries)} keys; at most {MAX_KEYS} are taken")
    keys = tuple(key for entry in entries if (key := public_key(entry, algorithms)) is not None)
    return KeySet(keys, ignored=len(entries) - len(keys))


def public_key(entry: object, algorithms: Collection[Algorithm]) -> PyJWK | None:
    """One key; None for one that is not for a signature of these algorithms, weak, or private (`d`), so known to all.

    The algorithm is that of the key's family: no token can choose another.
    """
    algorithm = algorithm_of(entry)
    if not isinstance(entry, dict) or algorithm not in algorithms or "d" in entry:
        return None
    if entry.get("use", "sig") != "sig" or entry.get("alg", algorithm) != algorithm:
        return None
    try:
        key = PyJWK(entry, algorithm)
    except (PyJWTError, TypeError, ValueError):
        return None
    weak = isinstance(key.key, RSAPublicKey) and key.key.key_size < MIN_RSA_BITS
    return None if weak else key


def algorithm_of(entry: object) -> Algorithm | None:
    """The algorithm of the key's family."""
    match entry:
        case {"kty": "RSA"}:
            return "RS256"
        case {"kty": "EC", "crv": "P-256"}:
            return "ES256"
        case {"kty": "OKP", "crv": "Ed25519"}:
            return "EdDSA"
        case _:
            return None
