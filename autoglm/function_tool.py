"""A function as it is called by JSON: described by its signature and docstring, called with checked arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PydanticSchemaGenerationError,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema, PydanticSerializationError
from pydantic_core.core_schema import ComputedField, DataclassField, ModelField, TypedDictField

from autoglm import docstring
from autoglm.contract.tool import ToolCard
from autoglm.errors import ConfigError, UnprocessableEntityError, UpstreamError
from autoglm.tool import Mark, mark_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  # `ToolName`
KEY_PARAMETER = "idempotency_key"  # of who has it; it is no argument of the tool
BY_NAME = frozenset({inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY})


class PlainSchema(GenerateJsonSchema):
    """Without a title for each field: it repeats the name, and every word of a schema stands in a prompt."""

    def field_title_should_be_set(
        self, schema: CoreSchema | ModelField | TypedDictField | DataclassField | ComputedField
    ) -> bool:
        """Never."""
        return False


class FunctionTool:
    """A function, marked by `@autoglm.tool` or not, with the schemas of its arguments and its result.

    Raises:
        ConfigError: it has parameters that no JSON object can give, or types that no JSON Schema describes.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.mark = mark_of(function) or Mark()
        self.name = self.mark.name or str(getattr(function, "__name__", ""))
        if not NAME.fullmatch(self.name):
            raise ConfigError(f"tool {self.name!r}: a name is made of letters, digits, '_', '.' and '-', 64 at most")
        try:
            self._describe()
        except (PydanticSchemaGenerationError, PydanticUserError, NameError, TypeError) as fault:
            raise ConfigError(f"tool {self.name!r}: its signature cannot be read: {fault}") from fault

    def _describe(self) -> None:
        described = docstring.parse(self.function.__doc__)
        parameters = inspect.signature(self.function).parameters
        hints = get_type_hints(self.function, include_extras=True)
        self.takes_key = KEY_PARAMETER in parameters
        self.is_async = inspect.iscoroutinefunction(self.function)
        self._fields = {f"argument_{i}": name for i, name in enumerate(self._names(parameters))}
        self._arguments = self._model(parameters, hints, described.arguments)
        self._result: TypeAdapter[Any] = TypeAdapter(hints.get("return", Any))
        self.card = ToolCard(
            name=self.name,
            description=described.text,
            parameters=self._parameters(),
            returns=self._returns() if "return" in hints else None,
            idempotent=self.mark.idempotent,
        )

    def _names(self, parameters: Any) -> Iterator[str]:
        for name, parameter in parameters.items():
            if parameter.kind not in BY_NAME:
                raise ConfigError(f"tool {self.name!r}: {parameter} cannot be given by name; declare it as a plain one")
            if name != KEY_PARAMETER:
                yield name

    def _model(self, parameters: Any, hints: dict[str, Any], texts: dict[str, str]) -> type[BaseModel]:
        """The fields have names of their own: an argument may be called as a method of pydantic's models is."""
        fields: dict[str, Any] = {}
        for field, name in self._fields.items():
            default = parameters[name].default
            info: FieldInfo = Field(
                ... if default is inspect.Parameter.empty else default, alias=name, description=texts.get(name)
            )
            fields[field] = (hints.get(name, Any), info)
        return create_model("Arguments", __config__=ConfigDict(extra="forbid", frozen=True), **fields)

    def _parameters(self) -> dict[str, Any]:
        schema = self._arguments.model_json_schema(schema_generator=PlainSchema)
        del schema["title"]  # the model's, which stands for nothing
        return schema

    def _returns(self) -> dict[str, Any]:
        return self._result.json_schema(mode="serialization", schema_generator=PlainSchema)

    def bind(self, arguments: dict[str, Any], key: str) -> dict[str, Any]:
        """The keyword arguments of a call, in the types of the annotations; what was not given is the function's own.

        Raises:
            UnprocessableEntityError: they do not fit; `param` names the first that does not.
        """
        try:
            model = self._arguments.model_validate(arguments)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            param = ".".join(map(str, fault["loc"]))
            raise UnprocessableEntityError(f"{self.name}: {param}: {fault['msg']}", param=param) from None
        given = {self._fields[field]: getattr(model, field) for field in model.model_fields_set}
        return given | ({KEY_PARAMETER: key} if self.takes_key else {})

    def value(self, result: Any) -> Any:
        """What the function gave, as a JSON value.

        Raises:
            UpstreamError: it cannot be one.
        """
        try:
            return self._result.dump_python(result, mode="json", warnings="none")
        except (PydanticSerializationError, ValueError, RecursionError) as fault:
            raise UpstreamError(f"{self.name}: the result is no JSON value: {fault}") from None
