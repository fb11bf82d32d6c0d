"""A path's parameters and its query, read strictly: what is not known is refused, as in a body."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field

from autoglm.errors import BadRequestError
from serve_app.http.body import field_path, shown
from serve_app.http.errors import error_response, request_id_of

Model = TypeVar("Model", bound=BaseModel)

MAX_PAGE = 1000
PageSize = Annotated[int, Field(ge=1, le=MAX_PAGE)]


def query(model: type[Model]) -> Any:
    """The dependency that reads the request's query; an unknown parameter is refused."""

    def read(asked: Model) -> Model:
        return asked

    read.__annotations__["asked"] = Annotated[model, Query()]  # known only now, and FastAPI asks for it here
    return Depends(read)


async def on_wrong_query(request: Request, error: Any) -> Response:
    """FastAPI's own refusal of a query or a path, as the documented error."""
    return error_response(wrong_parameter(error), request_id_of(request))


def wrong_parameter(error: RequestValidationError) -> BadRequestError:
    """The first fault, in words."""
    fault = error.errors()[0]
    param = field_path(fault["loc"][1:]) or "query"
    if fault["type"] == "extra_forbidden":
        return BadRequestError(f"{param}: unknown parameter; see /openapi.json", param=param)
    return BadRequestError(f"{param}: {fault['msg']}; got {shown(fault.get('input'))}", param=param)
