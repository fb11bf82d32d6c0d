"""`Idempotency-Key`: how a request that is sent again is known, and no other caller's is taken for it."""

from __future__ import annotations

import hashlib
import uuid
from typing import Annotated

from fastapi import Header

from autoglm.contract.tool import IdempotencyKey
from deployments.access import Principal

SentOnce = Annotated[IdempotencyKey | None, Header(alias="Idempotency-Key")]


def own_key(caller: Principal, key: str | None) -> str:
    """The caller's key made one that no other caller's can be; without one, one that is never sent again.

    At least 32 hexadecimal digits.
    """
    if key is None:
        return uuid.uuid4().hex
    return hashlib.sha256(f"{caller.tenant}\0{caller}\0{key}".encode()).hexdigest()
