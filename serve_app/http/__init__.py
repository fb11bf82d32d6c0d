"""The HTTP surface: OpenAI's paths and this project's own, over one router."""

from serve_app.http.app import build_http

__all__ = ["build_http"]
