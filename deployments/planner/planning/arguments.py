"""A step's arguments beside the JSON Schema of its tool, while some of them are still references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from deployments.planner.references import Reference, parsed, references

# Faults of an object or a list itself, which no result can put right that is filled in later.
STRUCTURAL = (
    jsonschema_rs.ValidationErrorKind.Required,
    jsonschema_rs.ValidationErrorKind.AdditionalProperties,
    jsonschema_rs.ValidationErrorKind.MinItems,
    jsonschema_rs.ValidationErrorKind.MaxItems,
    jsonschema_rs.ValidationErrorKind.MinProperties,
    jsonschema_rs.ValidationErrorKind.MaxProperties,
)
# Steps of a pattern's match, as a tool's host allows: a schema may come from outside.
BACKTRACKS = 100_000
MAX_FAULTS = 20  # of one step's arguments


class Parameters:
    """The compiled schema of a tool's arguments. What it refers to is not fetched.

    Raises:
        ValueError: it is no JSON Schema.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        patterns = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS)
        try:
            self._validator = jsonschema_rs.validator_for(schema, offline=True, pattern_options=patterns)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as fault:
            raise ValueError(str(fault)) from None

    def faults(self, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """The fields that do not fit, as `arguments.items.0.price`, each with the reason.

        A value that is a reference may become anything, and text with one in it any text: what a schema says of these
        is left to the call.
        """
        told = 0
        for error in self._validator.iter_errors(arguments):
            if told < MAX_FAULTS and not _is_open(error):
                told += 1
                yield ".".join(["arguments", *map(str, error.instance_path)]), error.message


def has_references(value: Any) -> bool:
    """Whether a JSON value of a plan names a result."""
    return next(references(value), None) is not None


def missing_field(schema: dict[str, Any] | None, reference: Reference) -> str | None:
    """The field that a result cannot have by its schema, with those it has; None where nothing is known against it."""
    for part in reference.path:
        properties = (schema or {}).get("properties")
        if isinstance(part, str) and isinstance(properties, dict):
            if part not in properties:
                return f"{part!r}; it has {', '.join(map(repr, sorted(properties)))}"
            schema = properties[part]
        else:
            items = (schema or {}).get("items")
            schema = items if isinstance(items, dict) else None
    return None


def _is_open(error: jsonschema_rs.ValidationError) -> bool:
    """Whether a result may still put it right."""
    instance: Any = error.instance
    if isinstance(error.kind, STRUCTURAL) or not has_references(instance):
        return False
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Type):
        return isinstance(instance, str) and len(parsed(instance)) == 1
    return True
