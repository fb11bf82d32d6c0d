"""Operations of real services as tools: a FastAPI application by its own document, and documents by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any

import httpx2
import jsonschema_rs
import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.security import APIKeyCookie, APIKeyQuery, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from pydantic import BaseModel, Field, ValidationError

from autoglm.errors import ConfigError, UnavailableError, UnprocessableEntityError, UpstreamError
from deployments.tools.secrets import SecretReference, Secrets
from deployments.tools.sources.openapi import OpenApiSource
from deployments.tools.sources.openapi.document import parsed
from deployments.tools.sources.openapi.operation import Operation
from deployments.tools.sources.openapi.reader import operations
from deployments.tools.sources.openapi_config import OpenApiConfig, joined_openapi
from tests.deployments.tools.loopback import served

LOOPBACK = (ip_network("127.0.0.0/8"),)
AUTH = {name: SecretReference(env=name.upper()) for name in ("HTTPBearer", "HTTPBasic", "APIKeyQuery", "APIKeyCookie")}
VALUES = {"HTTPBEARER": "t0ken", "HTTPBASIC": "user:pass", "APIKEYQUERY": "q-key", "APIKEYCOOKIE": "c-key"}


class Customer(BaseModel):
    """What the service keeps; it refers to itself."""

    name: str
    age: int | None = Field(default=None, ge=0)
    friends: list[Customer] = []


def service() -> FastAPI:
    """A service with each kind of parameter, authentication and answer."""
    app = FastAPI()
    app.state.seen = []

    @app.get("/customers/{customer_id}", dependencies=[Depends(HTTPBearer())], tags=["customers"])
    def read_customer(
        request: Request,
        customer_id: str,
        page: int = 1,
        tag: Annotated[list[str] | None, Query()] = None,
        x_trace: Annotated[str | None, Header()] = None,
    ) -> dict[str, Any]:
        """One customer."""
        authorization = request.headers["authorization"]
        return {"id": customer_id, "page": page, "tags": tag, "trace": x_trace, "authorization": authorization}

    @app.post("/customers/{name}", tags=["customers"])
    def add_customer(request: Request, name: str, customer: Customer) -> dict[str, Any]:
        """Add one."""
        return {"place": name, "customer": customer.model_dump(), "key": request.headers.get("idempotency-key")}

    @app.get("/basic")
    def basic(credentials: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> list[str]:
        return [credentials.username, credentials.password]

    @app.get("/query")
    def query(key: Annotated[str, Depends(APIKeyQuery(name="key"))]) -> str:
        return key

    @app.get("/cookie")
    def cookie(key: Annotated[str, Depends(APIKeyCookie(name="session"))]) -> str:
        return key

    @app.get("/text", response_class=PlainTextResponse)
    def text() -> str:
        return "plain"

    @app.delete("/nothing", status_code=204)
    def nothing() -> None:
        return None

    @app.get("/image")
    def image() -> Response:
        return Response(b"\x89PNG", media_type="image/png")

    @app.get("/fail", dependencies=[Depends(HTTPBearer())])
    def fail(request: Request, status: int) -> None:
        raise HTTPException(status, f"sent {request.headers['authorization']}, " + "and more, " * 1000)

    @app.get("/large")
    def large() -> str:
        return "x" * 5_000_000

    @app.get("/away")
    def away() -> Response:
        return RedirectResponse("http://169.254.169.254/latest/meta-data")

    return app


@asynccontextmanager
async def opened(app: FastAPI, folder: Path, **given: Any) -> AsyncIterator[OpenApiSource]:
    """The service's source, from its own document in a file."""
    document = folder / "document.json"
    document.write_text(json.dumps(app.openapi()))
    async with served(app) as port:
        config = OpenApiConfig(
            document=str(document),
            base_url=f"http://127.0.0.1:{port}",
            **{"auth": AUTH, "allow_http": True, "allow_networks": LOOPBACK, **given},
        )
        source = OpenApiSource("crm", config, secrets=Secrets(VALUES))
        await source.open(lambda: None)
        try:
            yield source
        finally:
            await source.close()


def named(source: OpenApiSource, part: str) -> str:
    """The tool whose name has this part."""
    return next(card.name for card in source.tools() if part in card.name)


async def call(source: OpenApiSource, part: str, **arguments: Any) -> Any:
    """One call, of arguments that fit the tool's schema."""
    card = next(card for card in source.tools() if part in card.name)
    jsonschema_rs.validator_for(card.parameters).validate(arguments)
    result = await source.call(card.name, arguments, key="key-1", timeout_s=30)
    if card.returns is not None:
        jsonschema_rs.validator_for(card.returns).validate(result)
    return result


async def test_a_services_operations_are_called_with_their_arguments_in_their_places(tmp_path: Path) -> None:
    """And their results fit the schemas that the document has for them."""
    async with opened(service(), tmp_path) as source:
        found = await call(
            source, "read_customer", customer_id="a b?c#d%2e", page=2, tag=["x", "y&z"], **{"x-trace": "t"}
        )
        assert (found["id"], found["page"], found["tags"], found["trace"]) == ("a b?c#d%2e", 2, ["x", "y&z"], "t")
        assert found["authorization"] == "Bearer t0ken"
        added = await call(source, "add_customer", name="new", body_name="Ann", friends=[{"name": "Bob"}])
        assert added["customer"]["name"] == "Ann"
        assert added["customer"]["friends"][0]["name"] == "Bob"
        assert (added["place"], added["key"]) == ("new", "key-1")
        assert await call(source, "text") == "plain"
        assert await call(source, "nothing") is None


async def test_each_kind_of_credential_goes_where_the_document_wants_it(tmp_path: Path) -> None:
    """None of them is an argument."""
    async with opened(service(), tmp_path) as source:
        assert await call(source, "basic") == ["user", "pass"]
        assert await call(source, "query") == "q-key"
        assert await call(source, "cookie_cookie") == "c-key"
        for card in source.tools():
            assert {"key", "session", "authorization"}.isdisjoint(card.parameters["properties"])


async def test_methods_say_what_may_be_sent_again(tmp_path: Path) -> None:
    """RFC 9110's idempotent ones."""
    async with opened(service(), tmp_path) as source:
        idempotent = {card.name: card.idempotent for card in source.tools()}
        assert idempotent[named(source, "read_customer")]
        assert idempotent[named(source, "nothing")]
        assert not idempotent[named(source, "add_customer")]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UnprocessableEntityError),
        (422, UnprocessableEntityError),
        (401, UpstreamError),
        (404, UpstreamError),
        (500, UpstreamError),
    ],
)
async def test_a_services_error_is_told_in_its_own_words(tmp_path: Path, status: int, kind: type[Exception]) -> None:
    """Cut, and without the credential that it repeats."""
    async with opened(service(), tmp_path) as source:
        with pytest.raises(kind) as caught:
            await call(source, "fail", status=status)
    assert str(status) in str(caught.value)
    assert "Bearer [secret]" in str(caught.value)
    assert "t0ken" not in str(caught.value)
    assert len(str(caught.value)) < 2200


@pytest.mark.parametrize(
    ("part", "message"), [("image", "neither JSON nor text"), ("large", "larger than"), ("away", "refused")]
)
async def test_what_is_not_taken_from_a_service_is_an_error(tmp_path: Path, part: str, message: str) -> None:
    """Of the service, not of the caller."""
    async with opened(service(), tmp_path) as source:
        with pytest.raises(UpstreamError, match=message):
            await source.call(named(source, part), {}, key="key-1", timeout_s=30)


async def test_a_service_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    """Nothing was sent, and it may be tried again."""
    async with opened(service(), tmp_path) as source:
        pass
    await source.open(lambda: None)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        await source.call(named(source, "text"), {}, key="key-1", timeout_s=30)
    await source.close()


async def test_a_document_is_fetched_through_the_guard() -> None:
    """From its address; requests go to the server that it names, on the same host."""
    app = service()
    async with served(app) as port:
        address = f"http://127.0.0.1:{port}/openapi.json"
        given: dict[str, Any] = {"document": address, "allow_http": True, "tags": ("customers",), "auth": AUTH}
        with pytest.raises(UpstreamError, match="no public address"):
            await OpenApiSource("crm", OpenApiConfig(**given)).open(lambda: None)
        source = OpenApiSource("crm", OpenApiConfig(allow_networks=LOOPBACK, **given), secrets=Secrets(VALUES))
        await source.open(lambda: None)
        assert (await call(source, "read_customer", customer_id="1"))["id"] == "1"
        assert len(source.tools()) == 2
        app.openapi_schema = {**app.openapi(), "servers": [{"url": "http://10.0.0.1/"}]}
        with pytest.raises(ConfigError, match="allow_hosts"):
            await OpenApiSource("crm", OpenApiConfig(allow_networks=LOOPBACK, **given), secrets=Secrets(VALUES)).open(
                lambda: None
            )
        await source.close()


async def test_a_missing_secret_is_said_when_the_source_is_opened(tmp_path: Path) -> None:
    """By its reference."""
    with pytest.raises(ConfigError, match="HTTPBEARER"):
        async with opened(service(), tmp_path, auth={**AUTH, "HTTPBearer": SecretReference(env="HTTPBEARER_GONE")}):
            pass


def document(paths: Mapping[str, Any], version: str = "3.1.0", **parts: Any) -> bytes:
    """A document in JSON."""
    return json.dumps({"openapi": version, "info": {"title": "t", "version": "1"}, "paths": paths, **parts}).encode()


def read(content: bytes, **given: Any) -> dict[str, Operation]:
    """A document's operations."""
    return operations("crm", parsed(content), OpenApiConfig(document="crm.yaml", **given))[0]


def only(declared: Mapping[str, Any], path: str = "/x", version: str = "3.1.0", **parts: Any) -> Operation:
    """The one operation of a document, a POST."""
    return next(iter(read(document({path: {"post": declared}}, version, **parts)).values()))


def target(parameter: Mapping[str, Any], value: Any, path: str = "/x") -> str:
    """Path and query of a request whose one argument has this value."""
    operation = only({"parameters": [parameter]}, path)
    request = operation.request(httpx2.URL("https://crm.internal/v1"), {str(parameter["name"]): value}, "key-1")
    return request.url.raw_path.decode()


@pytest.mark.parametrize(
    ("extra", "value", "expected"),
    [
        ({}, "a b&c=d/é", "p=a%20b%26c%3Dd%2F%C3%A9"),
        ({}, True, "p=true"),
        ({}, 1.5, "p=1.5"),
        ({}, ["a", "b,c"], "p=a&p=b%2Cc"),
        ({"explode": False}, ["a", "b,c"], "p=a,b%2Cc"),
        ({}, {"x": 1, "y": "z"}, "x=1&y=z"),
        ({"explode": False}, {"x": 1, "y": "z"}, "p=x,1,y,z"),
        ({"style": "deepObject"}, {"x": 1, "y&": "z"}, "p[x]=1&p[y%26]=z"),
        ({"style": "spaceDelimited", "explode": False}, ["a", "b"], "p=a%20b"),
        ({"style": "pipeDelimited", "explode": False}, ["a", "b"], "p=a%7Cb"),
        ({"content": {"application/json": {}}}, {"x": [1]}, "p=%7B%22x%22%3A%20%5B1%5D%7D"),
    ],
)
def test_a_querys_values_are_written_in_their_style(extra: dict[str, Any], value: Any, expected: str) -> None:
    """As OpenAPI's table of styles has them."""
    found = target({"name": "p", "in": "query", **extra}, value)
    assert found.replace("%5B", "[").replace("%5D", "]") == f"/v1/x?{expected}".replace("%5B", "[").replace("%5D", "]")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a/b", "/v1/x/a%2Fb/y"),
        ("?q#f", "/v1/x/%3Fq%23f/y"),
        ("a%2Fb", "/v1/x/a%252Fb/y"),
        ([1, "b,c"], "/v1/x/1,b%2Cc/y"),
        ({"k": "v"}, "/v1/x/k,v/y"),
        ("...", "/v1/x/.../y"),
        (7, "/v1/x/7/y"),
    ],
)
def test_a_paths_values_stay_one_segment(value: Any, expected: str) -> None:
    """Whatever is in them."""
    assert target({"name": "p", "in": "path", "required": True}, value, "/x/{p}/y") == expected


@pytest.mark.parametrize("value", ["..", ".", "", "../admin", "a/../b", "..\\admin", "a/..", []])
def test_a_value_that_would_lead_to_another_path_is_refused(value: Any) -> None:
    """Escaped or not, some server on the way would follow it."""
    with pytest.raises(UnprocessableEntityError, match="another path"):
        target({"name": "p", "in": "path", "required": True}, value, "/x/{p}")


def test_a_header_holds_no_line_break() -> None:
    """Which would begin another field."""
    operation = only({"parameters": [{"name": "x-p", "in": "header"}]})
    base = httpx2.URL("https://crm.internal")
    with pytest.raises(UnprocessableEntityError, match="printable"):
        operation.request(base, {"x-p": "a\r\nx-admin: 1"}, "key-1")
    assert operation.request(base, {"x-p": ["a", "b"]}, "key-1").headers["x-p"] == "a,b"


def test_arguments_of_one_name_are_told_apart_by_their_places() -> None:
    """The path keeps its name; fields that belong to the exchange are no arguments."""
    parameters = [{"name": "id", "in": place, "required": place == "path"} for place in ("query", "path", "header")]
    parameters += [{"name": name, "in": "header"} for name in ("Authorization", "Host", "Cookie", "Content-Type")]
    body = {"type": "object", "properties": {"id": {"type": "integer"}, "text": {"type": "string"}}, "required": ["id"]}
    content = {"required": True, "content": {"application/json": {"schema": body}}}
    operation = only({"parameters": parameters, "requestBody": content}, "/x/{id}")
    schema = operation.card.parameters
    assert list(schema["properties"]) == ["id", "query_id", "header_id", "body_id", "text"]
    assert schema["required"] == ["id", "body_id"]
    given = {"id": "p", "query_id": "q", "header_id": "h", "body_id": 1}
    request = operation.request(httpx2.URL("https://crm.internal"), given, "key-1")
    assert request.url.raw_path == b"/x/p?id=q"
    assert request.headers["id"] == "h"
    assert json.loads(request.content) == {"id": 1}


def test_a_body_that_is_no_plain_object_is_one_argument() -> None:
    """So that nothing of it is lost."""
    for schema in (
        {"type": "array"},
        {"type": "object", "additionalProperties": True},
        {"oneOf": [{"type": "object"}]},
    ):
        operation = only({"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}})
        assert operation.card.parameters["properties"] == {"body": schema}
        assert operation.card.parameters["required"] == ["body"]


def test_schemas_of_3_0_become_those_of_2020_12() -> None:
    """What they admit stays what they admitted, and what only an answer has is not asked for."""
    schema = {
        "type": "object",
        "required": ["id", "age"],
        "properties": {
            "id": {"type": "integer", "readOnly": True},
            "age": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False},
            "name": {"type": "string", "nullable": True, "enum": ["a", "b"]},
            "other": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Other"}]},
            "example": {"type": "string", "example": "a property may be called so"},
        },
    }
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    parts = {"components": {"schemas": {"Other": {"type": "string", "description": "o"}}}}
    validator = jsonschema_rs.validator_for(only({"requestBody": body}, version="3.0.3", **parts).card.parameters)
    for good in ({"age": 1}, {"age": 9, "name": None}, {"age": 1, "other": None}, {"age": 1, "example": "x"}):
        assert validator.is_valid(good), good
    for bad in ({}, {"age": 0}, {"age": 10}, {"age": 1, "name": "c"}, {"age": 1, "other": 1}, {"age": 1, "id": 1}):
        assert not validator.is_valid(bad), bad


def test_schemas_that_refer_to_themselves_survive() -> None:
    """And to each other."""
    schemas = {
        "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Other"}}},
        "Other": {
            "type": "object",
            "properties": {"back": {"$ref": "#/components/schemas/Node"}},
            "required": ["back"],
        },
    }
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}
    operation = only({"requestBody": body}, components={"schemas": schemas})
    validator = jsonschema_rs.validator_for(operation.card.parameters)
    assert validator.is_valid({"next": {"back": {"next": {"back": {}}}}})
    assert not validator.is_valid({"next": {"back": {"next": {}}}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>", "neither JSON nor YAML|version"),
        (b"openapi: 2.0", "3.0 and 3.1"),
        (b"swagger: '2.0'", "3.0 and 3.1"),
        (b"a: [1", "neither JSON nor YAML"),
        (b"{" + b'"a":[' * 5000, "neither JSON nor YAML"),
        (b"openapi: 3.1.0\nx: &x [" + b"[" * 200 + b"]" * 200 + b"]", "levels"),
        (
            b"openapi: 3.1.0\nx0: &x0 [1,1,1,1,1,1,1,1,1,1]\n"
            + b"".join(b"x%d: &x%d [%s]\n" % (n, n, b",".join([b"*x%d" % (n - 1)] * 10)) for n in range(1, 9)),
            "aliases followed",
        ),
        (b"openapi: 3.1.0\nx: &x\n  y: *x", "aliases followed"),
        (b"openapi: 3.1.0\npaths: {/x: {$ref: 'other.yaml#/x'}}", "out of the document"),
        (b"openapi: 3.1.0\npaths: {/x: {$ref: 'http://169.254.169.254/x'}}", "out of the document"),
        (b"openapi: 3.1.0\npaths: {/x: {$ref: '#/nowhere'}}", "points at nothing"),
        (b"openapi: 3.1.0\npaths: {/x: {$ref: '#/paths/~1x'}}", "circle"),
        (b"openapi: 3.1.0\npaths: {}", "no operation"),
        (b"openapi: 3.1.0\npaths: {'/x/{id}': {get: {}}}", "'id' is not declared"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused(content: bytes, message: str) -> None:
    """With a reason, and before it has grown large."""
    with pytest.raises(ConfigError, match=message):
        read(content)


def test_yaml_is_read_as_json_would_be() -> None:
    """A date is a text, and `no` a word."""
    found = parsed(b"openapi: 3.1.0\nday: 2024-02-01\nword: no\ntruth: true\n")
    assert (found.root["day"], found.root["word"], found.root["truth"]) == ("2024-02-01", "no", True)


def test_operations_are_chosen_by_name_path_and_tag() -> None:
    """What cannot be a tool is left out by name, and refused where it was asked for; JSON alone is sent."""
    multipart = {"requestBody": {"content": {"multipart/form-data": {}}}}
    paths = {
        "/a": {"get": {"operationId": "readA", "tags": ["one"]}, "post": {"operationId": "upload", **multipart}},
        "/b/{id}": {"parameters": [{"name": "id", "in": "path"}], "delete": {}},
    }
    content = document(paths)
    found, faults = operations("crm", parsed(content), OpenApiConfig(document="crm.yaml"))
    assert set(found) == {"crm.readA", "crm.delete__b_id"}
    assert faults == ("upload is not offered: its body is multipart/form-data; JSON alone is sent",)
    assert set(read(content, operations=("DELETE /b/{id}",))) == {"crm.delete__b_id"}
    assert set(read(content, tags=("one",))) == {"crm.readA"}
    with pytest.raises(ConfigError, match="upload: its body is multipart/form-data"):
        read(content, operations=("upload",))
    with pytest.raises(ConfigError, match=r"does not have; it has readA, .*upload"):
        read(content, operations=("readB",))


def test_an_operation_that_needs_a_credential_that_was_not_given_is_no_tool() -> None:
    """Of its alternatives the first that can be met is taken, and to be nobody is the last."""
    schemes = {
        "key": {"type": "apiKey", "in": "header", "name": "x-key"},
        "flow": {"type": "oauth2", "flows": {}},
        "odd": {"type": "mutualTLS"},
    }
    parts = {"components": {"securitySchemes": schemes}, "security": [{"flow": []}, {}, {"key": []}]}
    given = {"key": SecretReference(env="KEY")}
    open_to_all = read(document({"/x": {"get": {}}}, **parts))
    assert next(iter(open_to_all.values())).schemes == ()
    parameters = [{"name": "X-Key", "in": "header"}, {"name": "x-key", "in": "query"}]
    (operation,) = read(document({"/x": {"get": {"parameters": parameters}}}, **parts), auth=given).values()
    assert [scheme.name for scheme in operation.schemes] == ["x-key"]
    assert set(operation.card.parameters["properties"]) == {"x-key"}  # the query's: no one else fills the header
    assert operation.parameters[0].place == "query"
    with pytest.raises(ConfigError, match="needs flow: give the credential under auth"):
        read(document({"/x": {"get": {"security": [{"flow": []}]}}}, **parts), auth=given)
    for name, message in (
        ("nobody", "'nobody'; the document's security schemes are key, flow, odd"),
        ("odd", "mutualTLS"),
    ):
        with pytest.raises(ConfigError, match=message):
            read(document({"/x": {"get": {}}}, **parts), auth={name: SecretReference(env="KEY")})


def test_names_fit_however_long_and_alike_they_are() -> None:
    """And are the same at each reading."""
    paths = {f"/{letter * 80}/{end}": {"get": {}} for letter in "ab" for end in ("x", "y")}
    paths |= {"/a b": {"get": {"operationId": "a b"}}, "/a_b": {"get": {"operationId": "a_b"}}}
    names = list(read(document(paths)))
    assert len(set(names)) == 6
    assert all(len(name) <= 64 for name in names)
    assert names == list(read(document(paths)))


def test_the_short_form_of_an_entry_has_its_address_beside_it() -> None:
    """As the cluster's file is written."""
    entry = joined_openapi({"name": "crm", "openapi": "crm.yaml", "base_url": "https://crm.internal"})
    assert entry == {"name": "crm", "openapi": {"document": "crm.yaml", "base_url": "https://crm.internal"}}
    assert OpenApiConfig.model_validate("crm.yaml").document == "crm.yaml"


@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "http://crm.internal"},
        {"base_url": "https://someone:s3cret@crm.internal"},
        {"base_url": "https://crm.internal?key=s3cret"},
        {"base_url": "ftp://crm.internal"},
        {"base_url": "https://0x7f000001"},
        {"auth": {"key": "s3cret"}},
        {"allow_hosts": ["crm.internal/x"]},
        {"allow_networks": ["10.1.0.1/16"]},
    ],
)
def test_a_config_that_cannot_be_meant_is_refused(given: dict[str, Any]) -> None:
    """And the error shows no secret that stands in it."""
    with pytest.raises(ValidationError) as caught:
        OpenApiConfig.model_validate({"document": "crm.yaml", **given})
    assert "s3cret" not in str(caught.value)
