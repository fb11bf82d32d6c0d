"""What enters and leaves a replica: errors of the tree, and no others."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from autoglm.errors import APIStatusError, BadRequestError, UpstreamError

logger = logging.getLogger("ray.serve")


@contextmanager
def plain_errors(name: str) -> Iterator[None]:
    """Log a model library's exception here, and raise an UpstreamError that names its kind in its place.

    An exception is unpickled by whoever called, and its class is imported for that: vLLM's would have router and
    controller import vLLM (seen: 10 s of a blocked event loop and 500 MB in each).
    """
    try:
        yield
    except APIStatusError:
        raise
    except Exception as fault:
        logger.exception("%s failed", name)
        raise UpstreamError(f"{name} failed: {type(fault).__name__}; the replica's log has it") from None


def wrong_field(error: ValidationError) -> BadRequestError:
    """The first fault of a request that is not of its form."""
    fault = error.errors(include_url=False)[0]
    param = ".".join(map(str, fault["loc"]))
    return BadRequestError(f"{param}: {fault['msg']}", param=param)
