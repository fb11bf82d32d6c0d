"""Text inputs: the checks that every text model shares."""

from __future__ import annotations

from typing import Any

from autoglm.errors import BadRequestError, UnprocessableEntityError

# Tokenising is linear in the text and happens before truncation, so an unbounded text would hold up its batch.
MAX_CHARACTERS = 100_000


def check_text(item: Any, index: int) -> str:
    """The input as it came, if it is a text that a model can read.

    Raises BadRequestError for another type, UnprocessableEntityError for an empty or an over-long text.
    """
    param = f"inputs[{index}]"
    if not isinstance(item, str):
        raise BadRequestError(f"{param}: got {type(item).__name__}; a text (string) is expected", param=param)
    if not item.strip():
        raise UnprocessableEntityError(f"{param}: got an empty text; at least one word is expected", param=param)
    if len(item) > MAX_CHARACTERS:
        raise UnprocessableEntityError(
            f"{param}: got a text of {len(item):,} characters; the limit is {MAX_CHARACTERS:,}", param=param
        )
    try:
        item.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can carry and no tokenizer can read
        raise UnprocessableEntityError(
            f"{param}: got a lone surrogate; valid Unicode is expected", param=param
        ) from None
    return item
