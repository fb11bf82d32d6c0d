"""A document's schemas as JSON Schema 2020-12 that stands alone.

OpenAPI 3.0 has a kind of its own (`nullable`, boolean `exclusiveMinimum`, siblings of `$ref` without effect); 3.1's
are 2020-12 already. Components are taken along under `$defs`, each once, so that one which refers to itself can be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from deployments.tools.sources.openapi.document import Document

Hidden = Literal["readOnly", "writeOnly"]

_ONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
        "unevaluatedItems", "unevaluatedProperties")  # fmt: skip
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "dependentSchemas")
# What says nothing of a value, gives the schema another base for its references, or is gathered by `definitions`.
_DROPPED = ("discriminator", "xml", "externalDocs", "example", "nullable", "$schema", "$id", "$anchor",
            "$dynamicAnchor", "$defs", "definitions")  # fmt: skip
_LIMITS = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))


class SchemaReader:
    """The schemas of one tool. Properties that are `hidden` (readOnly in what is sent) are left out of objects."""

    def __init__(self, document: Document, hidden: Hidden) -> None:
        self._document = document
        self._hidden = hidden
        self._names: dict[str, str] = {}
        self.definitions: dict[str, Any] = {}

    def read(self, schema: Any) -> Any:
        """A schema whose references lead to `definitions`.

        Raises:
            ConfigError: a reference leads nowhere, or out of the document.
        """
        if not isinstance(schema, Mapping):
            return schema  # true and false are schemas in 3.1
        if "$ref" in schema:
            return self._reference(schema)
        found = {key: self._keyword(key, value) for key, value in schema.items() if key not in _DROPPED}
        self._hide(schema, found)
        return _from_30(schema, found) if self._document.is_30 else found

    def whole(self, schema: Any) -> dict[str, Any]:
        """A schema with the definitions that it needs."""
        found = self.read(schema)
        found = dict(found) if isinstance(found, Mapping) else ({} if found else {"not": {}})
        return {**found, "$defs": self.definitions} if self.definitions else found

    def _reference(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        reference = str(schema["$ref"])
        if reference not in self._names:
            name = self._name(reference)
            self._names[reference] = name
            self.definitions[name] = True  # stands for it while it is read, for it may refer to itself
            self.definitions[name] = self.read(self._document.at(reference))
        found: dict[str, Any] = {"$ref": f"#/$defs/{self._names[reference]}"}
        if not self._document.is_30:
            found |= self.read({key: value for key, value in schema.items() if key != "$ref"})
        return found

    def _name(self, reference: str) -> str:
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", reference.rpartition("/")[2]) or "schema"
        return name if name not in self.definitions else f"{name}_{len(self.definitions)}"

    def _keyword(self, key: str, value: Any) -> Any:
        if key in _ONE:
            return self.read(value)
        if key in _MANY and isinstance(value, list):
            return [self.read(each) for each in value]
        if key in _NAMED and isinstance(value, Mapping):
            return {name: self.read(each) for name, each in value.items()}
        return value

    def _hide(self, schema: Mapping[str, Any], found: dict[str, Any]) -> None:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            return
        hidden = {name for name, each in properties.items() if self._is_hidden(each)}
        found["properties"] = {name: each for name, each in found["properties"].items() if name not in hidden}
        if isinstance(schema.get("required"), list):
            found["required"] = [name for name in schema["required"] if name not in hidden]

    def _is_hidden(self, schema: Any) -> bool:
        return isinstance(schema, Mapping) and self._document.resolved(schema).get(self._hidden) is True


def _from_30(schema: Mapping[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    for exclusive, limit in _LIMITS:
        if found.get(exclusive) is True and limit in found:
            found[exclusive] = found.pop(limit)
        elif isinstance(found.get(exclusive), bool):
            del found[exclusive]
    return _nullable(found) if schema.get("nullable") is True else found


def _nullable(found: dict[str, Any]) -> dict[str, Any]:
    """`null` beside what was allowed; 3.0.3 lets it in by the `type` that stands beside it, else by any means."""
    if "enum" in found and None not in found["enum"]:
        found["enum"] = [*found["enum"], None]
    if isinstance(found.get("type"), str):
        return {**found, "type": [found["type"], "null"]}
    return {"anyOf": [found, {"type": "null"}]}
