"""Limits on what one request may bring, checked before anything is sent on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from autoglm.errors import BadRequestError, UnprocessableEntityError
from deployments.router.config import Limits


def check_inputs(inputs: list[Any], param: str, limits: Limits) -> None:
    """The number of inputs and the length of each text.

    Raises:
        BadRequestError: none, or more than `max_inputs`.
        UnprocessableEntityError: a text is longer than `max_text_chars`.
    """
    if not inputs:
        raise BadRequestError(f"{param}: got an empty list; give at least one input", param=param)
    if len(inputs) > limits.max_inputs:
        raise BadRequestError(
            f"{param}: got {len(inputs)} inputs, at most {limits.max_inputs} are taken at once; send several requests",
            param=param,
        )


def check_texts(texts: list[Any], param: str, limits: Limits) -> None:
    """The length of each text of a list that may hold other things too."""
    for index, text in enumerate(texts):
        if isinstance(text, str):
            check_text(text, f"{param}[{index}]", limits)


def check_text(text: str, param: str, limits: Limits) -> None:
    """The length of one text."""
    if len(text) > limits.max_text_chars:
        raise UnprocessableEntityError(
            f"{param}: got a text of {len(text):,} characters, at most {limits.max_text_chars:,} are taken; shorten it",
            param=param,
        )


def texts_of(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text of a chat or completion request, with the name of its field."""
    prompt = request.get("prompt")
    if isinstance(prompt, str):
        yield "prompt", prompt
    elif isinstance(prompt, list):
        yield from ((f"prompt[{i}]", text) for i, text in enumerate(prompt) if isinstance(text, str))
    for index, message in enumerate(request.get("messages", ())):
        content = message.get("content")
        if isinstance(content, str):
            yield f"messages[{index}].content", content
        elif isinstance(content, list):
            for j, part in enumerate(content):
                if isinstance(part.get("text"), str):
                    yield f"messages[{index}].content[{j}].text", part["text"]


def check_generation(request: dict[str, Any], limits: Limits) -> None:
    """The length of every text of a chat or completion request."""
    for param, text in texts_of(request):
        check_text(text, param, limits)
