"""Token counts, in OpenAI's names."""

from __future__ import annotations

from autoglm.contract.base import ResponseModel


class Usage(ResponseModel):
    """Tokens (for images and tables: inputs) read and written."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
