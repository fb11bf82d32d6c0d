"""Whose request a shared computation belongs to: nobody's. The only file here that knows Serve's internals."""

from __future__ import annotations

import dataclasses
from contextvars import Context, copy_context

from ray.serve import context as serve_context


def detached() -> Context:
    """The caller's context (trace, session) without the id by which Serve ends what a request has started.

    When a client goes away Serve cancels every handle call made on behalf of its request; a call that others wait
    for too must not be among them.
    """
    context = copy_context()
    request = context.get(serve_context._serve_request_context)
    if request is not None:
        context.run(serve_context._serve_request_context.set, dataclasses.replace(request, _internal_request_id=""))
    return context
