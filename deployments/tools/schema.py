"""JSON Schemas as they bind a tool's arguments and results. They come from outside too, and are not trusted."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from autoglm.errors import ConfigError
from deployments.tools.sources.listing import cut

MESSAGE_CHARS = 300  # of a fault: the library's message holds the whole value


class Schema:
    """A compiled schema, of the draft that its `$schema` names, else 2020-12.

    What it refers to is not fetched, and a pattern that takes more than a million steps on a text is given up: both
    are the library's.

    Raises:
        ConfigError: it is no schema, or refers to something outside itself.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        try:
            self._validator = jsonschema_rs.validator_for(schema, offline=True)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as fault:
            raise ConfigError(f"not a JSON Schema: {cut(str(fault), MESSAGE_CHARS)}") from None

    def fault(self, value: Any) -> tuple[str, str] | None:
        """Where a JSON value first does not fit, as `items.0.price`, and why; None where it fits."""
        error = next(iter(self._validator.iter_errors(value)), None)
        if error is None:
            return None
        return ".".join(map(str, [*error.instance_path, *_named(error)])), cut(error.message, MESSAGE_CHARS)


def _named(error: jsonschema_rs.ValidationError) -> list[str]:
    """The field that the fault is about and that the path, which ends at its object, does not name."""
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return [kind.property]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        return kind.unexpected[:1]
    return []
