"""The HTTP surface: OpenAI's paths and this project's own, over one router."""

from serve_app.http.admission import Admission
from serve_app.http.app import MAX_BODY_BYTES, build_http

__all__ = ["MAX_BODY_BYTES", "Admission", "build_http"]
