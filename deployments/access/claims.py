"""What a signed token says, in types."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from autoglm.contract.field import ModelName, Slug
from autoglm.contract.scope import PATTERN, Scope

MAX_SUBJECT = 200  # characters
MAX_ENTRIES = 100  # scopes, models: as many as an API key may have
KNOWN_SCOPE = re.compile(PATTERN)


def printable(text: str) -> str:
    """The text itself, where it can stand in a log's line."""
    if not text.isprintable():
        raise ValueError("must be printable")
    return text


Seconds = Annotated[float, Field(allow_inf_nan=False)]  # since 1970
Texts = Annotated[list[str], Field(max_length=MAX_ENTRIES)]


class Claims(BaseModel):
    """The claims that count; others are not read. Strict: a number in quotes is no number."""

    model_config = ConfigDict(frozen=True, strict=True)

    sub: Annotated[str, Field(min_length=1, max_length=MAX_SUBJECT), AfterValidator(printable)]
    exp: Seconds
    nbf: Seconds = 0.0
    iat: Seconds = 0.0
    iss: str | None = None
    aud: str | list[str]
    scope: str | Texts = ""
    tenant: Slug = "default"
    models: Annotated[list[ModelName], Field(max_length=MAX_ENTRIES)] | None = None

    def audiences(self) -> list[str]:
        """Whom the token is for."""
        return [self.aud] if isinstance(self.aud, str) else self.aud

    def scopes(self) -> tuple[Scope, ...]:
        """The scopes known here, of a list or of words; an issuer may have others for other services."""
        words = self.scope.split() if isinstance(self.scope, str) else self.scope
        return tuple(Scope(word) for word in dict.fromkeys(words) if KNOWN_SCOPE.fullmatch(word))


def read(payload: bytes, names: Mapping[str, str]) -> Claims:
    """The claims of a token's payload; `names` are those that the issuer gives `scope`, `tenant` and `models`.

    Raises:
        ValueError: what is wrong, by the claim's name; nothing of its value.
    """
    content = as_object(payload)
    named = {field: names.get(field, field) for field in Claims.model_fields}
    try:
        return Claims.model_validate({field: content[name] for field, name in named.items() if name in content})
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    what = "is missing" if fault["type"] == "missing" else "has a wrong form"
    raise ValueError(f"its claim {named[str(fault['loc'][0])]!r} {what}")


def as_object(payload: bytes) -> dict[str, Any]:
    """The JSON object; raises ValueError where it is something else."""
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ValueError("its claims are not a JSON object")
    return content
