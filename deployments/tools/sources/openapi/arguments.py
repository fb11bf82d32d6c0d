"""Parameters and body of an operation, put together into one object of arguments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from deployments.tools.sources.listing import cut
from deployments.tools.sources.openapi.document import MAX_HOPS, Document
from deployments.tools.sources.openapi.media import is_json
from deployments.tools.sources.openapi.operation import Body, names_in
from deployments.tools.sources.openapi.parameter import STYLES, Parameter, Place
from deployments.tools.sources.openapi.schema import SchemaReader

# OpenAPI keeps the first three out of a header's parameters; the others are the exchange's own, or a credential.
OWN_FIELDS = frozenset(
    {"accept", "content-type", "authorization", "host", "content-length", "transfer-encoding", "connection", "cookie",
     "accept-encoding", "idempotency-key", "proxy-authorization", "te", "upgrade", "expect"}
)  # fmt: skip
BODY = "body"
# An object whose properties are arguments of their own has these words alone; any other is one argument.
_PLAIN = frozenset({"type", "properties", "required", "title", "description", "additionalProperties"})


class Arguments:
    """Gathers the arguments of one operation; a name that is taken is prefixed with the place of its parameter.

    `hidden` are the places and names, in lower case, that a credential fills: no caller writes there.
    """

    def __init__(self, document: Document, path: str, hidden: Collection[tuple[str, str]]) -> None:
        self.parameters: tuple[Parameter, ...] = ()
        self.body: Body | None = None
        self._document = document
        self._path = path
        self._hidden = hidden
        self._reader = SchemaReader(document, "readOnly")
        self._properties: dict[str, Any] = {}
        self._required: list[str] = []

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        schema: dict[str, Any] = {"type": "object", "properties": self._properties, "additionalProperties": False}
        if self._required:
            schema["required"] = self._required
        return {**schema, "$defs": self._reader.definitions} if self._reader.definitions else schema

    def add_parameters(self, *groups: Iterable[Any]) -> None:
        """Groups of parameters; one of a later group replaces that of the same place and name.

        Raises:
            ValueError: one cannot be written, or one of the path is not declared.
        """
        declared: dict[tuple[str, str], Mapping[str, Any]] = {}
        for each in (self._document.resolved(each) for group in groups for each in group):
            declared[str(each.get("in")), str(each.get("name"))] = each
        for (place, name), each in sorted(declared.items(), key=lambda found: list(STYLES).index(_known(found[0][0]))):
            if not self._is_own(place, name):
                self._add_parameter(cast("Place", place), name, each)
        missing = names_in(self._path) - {each.name for each in self.parameters if each.place == "path"}
        if missing:
            raise ValueError(f"its path's parameter {min(missing)!r} is not declared")

    def add_body(self, declared: Any) -> None:
        """The request's body, where it has one.

        Raises:
            ValueError: it is not JSON, and the tool would never send it.
        """
        if declared is None:
            return
        body = self._document.resolved(declared)
        content = body.get("content") or {}
        media_type = next((kind for kind in content if is_json(kind)), None)
        if media_type is None:
            raise ValueError(f"its body is {', '.join(content) or 'of no kind'}; JSON alone is sent")
        schema = self._reader.read(content[media_type].get("schema", True))
        self._add_content(media_type, schema, body.get("description"), is_required=body.get("required") is True)

    def _is_own(self, place: str, name: str) -> bool:
        return (place, name.lower()) in self._hidden or (place == "header" and name.lower() in OWN_FIELDS)

    def _add_parameter(self, place: Place, name: str, declared: Mapping[str, Any]) -> None:
        style = str(declared.get("style", STYLES[place][0]))
        if style not in STYLES[place]:
            raise ValueError(f"its parameter {name!r} has the style {style}; in a {place} {STYLES[place]} are written")
        content = declared.get("content")
        holder: Mapping[str, Any] = next(iter(content.values()), {}) if content else declared
        argument = self._free(name, place)
        explode = declared.get("explode", style in ("form", "deepObject"))
        self.parameters += (Parameter(argument, name, place, style, bool(explode), is_json=bool(content)),)
        is_required = declared.get("required") is True or place == "path"
        self._add(
            argument,
            self._reader.read(holder.get("schema", True)),
            declared.get("description"),
            is_required=is_required,
        )

    def _add_content(self, media_type: str, schema: Any, description: Any, *, is_required: bool) -> None:
        found = self._definition(schema)
        if not (_is_plain(found) and (is_required or not found.get("required"))):
            argument = self._free(BODY, "request")
            self.body = Body(media_type, argument=argument)
            self._add(argument, schema, description, is_required=is_required)
            return
        fields = {self._free(name, BODY): name for name in found["properties"]}
        self.body = Body(media_type, fields=fields)
        for argument, name in fields.items():
            self._add(argument, found["properties"][name], None, is_required=name in found.get("required", ()))

    def _definition(self, schema: Any) -> Any:
        """What a reference to a definition stands for, where nothing stands beside it."""
        for _ in range(MAX_HOPS):
            if not (isinstance(schema, Mapping) and set(schema) == {"$ref"}):
                return schema
            schema = self._reader.definitions[schema["$ref"].rpartition("/")[2]]
        raise ValueError("its body's schema is a circle of references")

    def _free(self, name: str, prefix: str) -> str:
        while name in self._properties:
            name = f"{prefix}_{name}"
        return name

    def _add(self, argument: str, schema: Any, description: Any, *, is_required: bool) -> None:
        if description and isinstance(schema, Mapping) and "description" not in schema:
            schema = {**schema, "description": cut(str(description), 500)}
        self._properties[argument] = schema
        if is_required:
            self._required.append(argument)


def _is_plain(schema: Any) -> bool:
    return (
        isinstance(schema, Mapping)
        and set(schema) <= _PLAIN
        and schema.get("type") == "object"
        and bool(schema.get("properties"))
        and schema.get("additionalProperties", False) is False
    )


def _known(place: str) -> str:
    if place not in STYLES:
        raise ValueError(f"it has a parameter in {place!r}; {', '.join(STYLES)} are known")
    return place
