"""API keys' secrets: `ag_`, eight characters that find the key, and 256 random bits."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string

MARK = "ag_"
PREFIX_CHARS = 8
SECRET_BYTES = 32  # 256 bits
ALPHABET = string.ascii_letters + string.digits
FORM = re.compile(rf"{MARK}([A-Za-z0-9]{{{PREFIX_CHARS}}})")
NOBODY = bytes(hashlib.sha256().digest_size)  # what an unknown prefix is compared with; no text hashes to it


def new_secret() -> str:
    """A secret that never was before."""
    prefix = "".join(secrets.choice(ALPHABET) for _ in range(PREFIX_CHARS))
    return MARK + prefix + secrets.token_urlsafe(SECRET_BYTES)


def prefix_of(secret: str) -> str:
    """The characters that find the key; of another form's secret, the empty prefix, which no key has."""
    found = FORM.match(secret)
    return found[1] if found else ""


def digest(secret: str) -> bytes:
    """SHA-256, shape (32,): enough for 256 random bits, which no dictionary holds."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def matches(secret: str, stored: bytes | None) -> bool:
    """Whether the secret's hash is `stored`; None, for an unknown prefix, takes the same steps and the same time."""
    same = hmac.compare_digest(digest(secret), NOBODY if stored is None else stored)
    return same and stored is not None
