"""The paths. Each takes a contract model, asks the router, and makes its answer a response."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from autoglm.contract import (
    ChatCompletion,
    ChatRequest,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResponse,
    Health,
    ModelCard,
    ModelList,
    PredictRequest,
    PredictResponse,
)
from autoglm.contract.route import RouteDecision, RouteKind, RouteRequest
from autoglm.contract.scope import CHAT, EMBED, PREDICT
from deployments.access import Principal
from deployments.quota import estimate
from deployments.router import EMBEDDING, GENERATING, PREDICTING, Answer, Call, Router
from serve_app.http.admission import Admission, Visit, caller_of, check_model
from serve_app.http.body import parse_body
from serve_app.http.call import call_of
from serve_app.http.direct import DirectRoute
from serve_app.http.errors import request_id_of
from serve_app.http.generation import (
    EventStream,
    Generation,
    estimated,
    is_told_usage,
    metered,
    until_broken,
    with_usage,
)
from serve_app.http.schema import Responses, body_of, errors, open_to_all, streamed

Named = TypeVar("Named", bound=BaseModel)

NOT_READY: Responses = {503: {"model": Health, "description": "`missing` names what has no healthy target"}}
LISTED = errors(401, 429, 503)
CALLED = errors(401, 403, 404, 422, 429, 502, 503, 504)
GENERATED = CALLED | streamed()


def build_routes(router: Router, admission: Admission, max_body_bytes: int) -> APIRouter:
    """All paths over one router."""
    calls, api = APIRouter(route_class=DirectRoute), APIRouter()

    def called(request: Request, caller: Principal) -> Call:
        return call_of(request, caller, longest_s=router.limits.request_timeout_s)

    async def named(caller: Principal, body: Named, kind: RouteKind) -> Named:
        """The request with the name that `auto` stands for, which the caller must be allowed to use."""
        name = await router.chosen(body, kind)
        check_model(caller, name, kind)
        return body if getattr(body, kind) == name else body.model_copy(update={kind: name})

    async def generated(request: Request, caller: Principal, body: Generation) -> Response:
        body = await named(caller, body, "model")
        route = router.route(body.model, param="model", tasks=GENERATING)
        call = called(request, caller)
        prompt, completion = estimated(body, route)
        visit = await admission.admit(caller, route, prompt, completion)
        if not body.stream:
            with visit:
                return answered(await router.generate(body, call), visit, call)
        try:
            answer = await router.generate_stream(with_usage(body), call)
        except BaseException:
            visit.close()
            raise
        is_paid = answer.state != "hit"
        visit.prompt_tokens = prompt if is_paid else 0
        events = metered(answer.body, visit, paid=is_paid, told=is_told_usage(body))
        events = until_broken(events, request_id_of(request))
        return EventStream(events, visit, headers_of(visit, answer, call))

    @api.head("/health", include_in_schema=False)  # load balancers ask by HEAD, and the server sends no body then
    @api.get("/health", response_model=Health, responses=errors(), openapi_extra=open_to_all())
    async def health() -> Response:
        return json_response(router.health())

    @api.head("/ready", include_in_schema=False)
    @api.get("/ready", response_model=Health, responses=errors() | NOT_READY, openapi_extra=open_to_all())
    async def ready() -> Response:
        state = await router.ready()
        return json_response(state, status=503 if state["missing"] else 200)

    @api.get("/v1/models", response_model=ModelList, responses=LISTED)
    async def models(request: Request) -> Response:
        caller, listed = caller_of(request), router.models()
        return json_response(listed | {"data": [card for card in listed["data"] if caller.may_use(card["id"])]})

    @api.get("/v1/models/{name}", response_model=ModelCard, responses=LISTED | errors(403, 404))
    async def model(request: Request, name: str) -> Response:
        check_model(caller_of(request), name, "model")
        return json_response(router.model(name))

    @calls.post("/v1/predict", response_model=PredictResponse, responses=CALLED, openapi_extra=body_of(PredictRequest))
    async def predict(request: Request) -> Response:
        caller = caller_of(request, PREDICT)
        body = await parse_body(request, PredictRequest, max_body_bytes)
        body = await named(caller, body, "task")
        route = router.route(body.task, param="task", tasks=PREDICTING)
        texts = (item for item in body.inputs if isinstance(item, str)) if route.is_text else ()
        call = called(request, caller)
        with await admission.admit(caller, route, estimate.prompt_tokens(texts)) as visit:
            return answered(await router.classify(body, call), visit, call)

    @calls.post(
        "/v1/embeddings", response_model=EmbeddingResponse, responses=CALLED, openapi_extra=body_of(EmbeddingRequest)
    )
    async def embeddings(request: Request) -> Response:
        caller = caller_of(request, EMBED)
        body = await parse_body(request, EmbeddingRequest, max_body_bytes)
        check_model(caller, body.model, "model")
        route = router.route(body.model, param="model", tasks=EMBEDDING)
        texts = [body.input] if isinstance(body.input, str) else body.input
        call = called(request, caller)
        with await admission.admit(caller, route, estimate.prompt_tokens(texts)) as visit:
            return answered(await router.vectors(body, call), visit, call)

    @calls.post(
        "/v1/route", response_model=RouteDecision, responses=LISTED | errors(422), openapi_extra=body_of(RouteRequest)
    )
    async def route_of(request: Request) -> Response:
        caller = caller_of(request)
        decision = await router.decide(await parse_body(request, RouteRequest, max_body_bytes))
        return json_response(visible(decision, caller).model_dump(mode="json"))

    @calls.post(
        "/v1/chat/completions",
        response_model=ChatCompletion,
        responses=GENERATED,
        openapi_extra=body_of(ChatRequest),
    )
    async def chat(request: Request) -> Response:
        caller = caller_of(request, CHAT)
        return await generated(request, caller, await parse_body(request, ChatRequest, max_body_bytes))

    @calls.post(
        "/v1/completions",
        response_model=Completion,
        responses=GENERATED,
        openapi_extra=body_of(CompletionRequest),
    )
    async def completions(request: Request) -> Response:
        caller = caller_of(request, CHAT)
        return await generated(request, caller, await parse_body(request, CompletionRequest, max_body_bytes))

    calls.include_router(api)
    return calls


def visible(decision: RouteDecision, caller: Principal) -> RouteDecision:
    """What the caller may know of a decision: nothing of models and tasks that the credential is not for.

    Raises:
        PermissionDeniedError: the text goes to one of these.
    """
    for name in filter(None, (decision.model, decision.task)):
        check_model(caller, name, "input")
    candidates = tuple(found for found in decision.candidates if caller.may_use(found.model or str(found.task)))
    return decision.model_copy(update={"candidates": candidates})


class Whole(Response):
    """A JSON body under fields that are in their form, so that nothing is searched, added or put right in them."""

    def __init__(self, body: bytes, headers: dict[str, str]) -> None:
        self.status_code, self.body, self.background = 200, body, None
        fields = {"content-type": "application/json", "content-length": str(len(body)), **headers}
        self.raw_headers = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]


def json_response(body: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON body."""
    return Response(orjson.dumps(body), status, headers, "application/json")


def answered(answer: Answer[bytes], visit: Visit, call: Call) -> Response:
    """A whole answer, and the headers that say who gave it and what is left to the caller."""
    if answer.state != "hit":
        visit.used(answer.meta)
    return Whole(answer.body, headers_of(visit, answer, call))


def headers_of(visit: Visit, answer: Answer[Any], call: Call) -> dict[str, str]:
    """Which model, version and lane answered, whether a cache or a fallback did, and the caller's limits."""
    headers = {
        "x-autoglm-model": str(answer.meta["model"]),
        "x-autoglm-version": str(answer.meta["version"]),
        "x-autoglm-lane": call.lane,
        "x-autoglm-cache": answer.state,
        **visit.headers,
    }
    if answer.state == "hit":
        headers["age"] = str(int(answer.age_s))
    if fallback := answer.meta.get("fallback"):
        headers["x-autoglm-fallback"] = str(fallback)
    return headers
