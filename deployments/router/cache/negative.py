"""Errors that are kept: those of the request itself, which the same request would get again."""

from __future__ import annotations

import orjson

from autoglm.errors import APIStatusError, NotFoundError, UnprocessableEntityError, error_class

NEGATIVE = (NotFoundError, UnprocessableEntityError)


def encode(error: APIStatusError) -> bytes:
    """What every caller may know of it; whose request it was is not in it."""
    return orjson.dumps({"status": error.status, "code": error.code, "message": error.message, "param": error.param})


def decode(data: bytes) -> APIStatusError:
    """The error, for one more caller."""
    fields = orjson.loads(data)
    return error_class(fields["status"], fields["code"])(fields["message"], param=fields["param"])
