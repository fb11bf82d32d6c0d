"""Liveness and readiness."""

from __future__ import annotations

from autoglm.contract.base import ResponseModel


class Health(ResponseModel):
    """`GET /health` and `GET /ready`; `missing` names the models that have no healthy target."""

    status: str
    version: str | None = None
    missing: tuple[str, ...] = ()
