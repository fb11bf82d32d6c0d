"""Operations of an HTTP service, as its OpenAPI document describes them, as tools."""

from __future__ import annotations

from deployments.tools.sources.openapi.source import OpenApiSource

__all__ = ["OpenApiSource"]
