"""The page on security: its snippets as they are printed, and what it says that the code must keep."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from autoglm.contract import Prediction
from autoglm.contract.registration import MAX_ARCHIVE_BYTES
from autoglm.contract.scope import KNOWN, Scope
from autoglm.contract.user import MAX_PASSWORD, MIN_PASSWORD
from autoglm.models.image import MAX_PIXELS
from cluster.control import migrate
from cluster.control.routes import admission, tasks
from deployments.access import (
    AccessConfig,
    Authenticator,
    JwtConfig,
    KeyView,
    Snapshot,
    attempts,
    jwks,
    jwt,
    key_source,
)
from deployments.access.secret import digest, new_secret, prefix_of
from deployments.router import Limits, Router
from serve_app.app import routes
from serve_app.config import ClusterConfig, ServerConfig, parse
from serve_app.http import build_http
from serve_app.http.middleware import OPEN_PATHS
from tests.autoglm.admin_server import running
from tests.fake_replica import FakeReplica
from tests.serve_app.http.bank import unlimited
from tests.snippets import ROOT, expect, run, snippets

PAGE = "docs/security.md"
TEXT = (ROOT / PAGE).read_text()
SCOPES = [str(scope).replace("NAME", "clock") for scope in KNOWN]
PATHS: list[tuple[str, str, str]] = re.findall(r"^\| `(GET|POST) (/\S+)` \| (.+) \|$", TEXT, re.MULTILINE)
PREDICT = {"task": "sentiment", "inputs": ["a wonderful film"]}


async def surface(config: ClusterConfig, authenticator: Authenticator) -> httpx.AsyncClient:
    """A client of the HTTP surface of a router whose predictor always finds the same."""
    replica = FakeReplica(predict=lambda inputs: {"outputs": [Prediction(label="positive", score=1)], "tokens": 4})
    router = Router(connect=lambda deployment, app, balancing: replica)
    await router.reconfigure({"routes": [route.model_dump() for route in routes(config)]})
    transport = httpx.ASGITransport(build_http(router, authenticator, unlimited()))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterConfig:
    """The page's file, read where its snippets run."""
    monkeypatch.chdir(tmp_path)
    [snippet] = snippets(PAGE, "yaml")
    return parse(snippet.text, PAGE)


async def test_the_pages_token_does_what_it_says_and_no_more(declared: ClusterConfig, tmp_path: Path) -> None:
    """The key set that the snippet writes is the one that the file names; changed by its bearer, it opens nothing."""
    [snippet] = snippets(PAGE, "python")
    made = run(snippet, tmp_path)
    expect(["."], made)
    token = made.stdout.strip()
    async with await surface(declared, Authenticator(declared.security, local_key="local")) as client:
        answer = await client.post("/v1/predict", json=PREDICT, headers=bearer(token))
        assert (answer.status_code, answer.json()["predictions"][0]["label"]) == (200, "positive")
        refused = await client.post("/v1/predict", json=PREDICT | {"task": "iris"}, headers=bearer(token))
        assert refused.status_code == 403
        assert (await client.post("/v1/chat/completions", headers=bearer(token))).status_code == 403
        assert (await client.post("/v1/chat/completions", headers=bearer(widened(token)))).status_code == 401


def widened(token: str) -> str:
    """The token with another scope, under the signature that it had."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) | {"scope": "chat"}
    return ".".join((header, base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("="), signature))


@pytest.fixture
async def keyed(declared: ClusterConfig) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, str]]]:
    """The surface, and for each scope the secret of a key that has no other."""
    secrets = {scope: new_secret() for scope in SCOPES}
    keys = tuple(
        KeyView(id=scope, prefix=prefix_of(it), sha256=digest(it).hex(), tenant="acme", scopes=(Scope(scope),))
        for scope, it in secrets.items()
    )
    authenticator = Authenticator(AccessConfig(), local_key="local")
    authenticator.update(Snapshot(keys=keys))
    async with await surface(declared, authenticator) as client:
        yield client, secrets


@pytest.mark.parametrize(("method", "path", "wanted"), PATHS)
async def test_a_path_wants_the_scope_that_the_page_says(
    keyed: tuple[httpx.AsyncClient, dict[str, str]], method: str, path: str, wanted: str
) -> None:
    """And a credential in any case. With the scope, an empty body or a name of nothing is what is refused."""
    client, secrets = keyed
    for scope, secret in secrets.items():
        answer = await client.request(method, path.replace("{name}", "sentiment"), headers=bearer(secret))
        assert (answer.status_code != 403) == (wanted in ("any good credential", f"`{scope}`")), scope
        assert answer.status_code != 404
    assert (await client.request(method, path)).status_code == 401


async def test_every_path_is_on_the_page(keyed: tuple[httpx.AsyncClient, dict[str, str]]) -> None:
    """A new one is documented with its scope."""
    client, secrets = keyed
    document = (await client.get("/openapi.json", headers=bearer(secrets["chat"]))).json()
    assert document["paths"].keys() - OPEN_PATHS == {path for _, path, _ in PATHS} - {"/openapi.json"}


def test_administration_wants_the_scope_admin(tmp_path: Path) -> None:
    """No other scope does, and the schema alone is open."""
    with running(tmp_path) as server:
        url = server.base_url.removesuffix("/v1") + "/admin/v1"
        keys = {scope: server.add_key("of-one-scope", scope)[1] for scope in SCOPES}
        statuses = {scope: httpx.get(f"{url}/keys", headers=bearer(keys[scope])).status_code for scope in SCOPES}
        assert statuses == {scope: 200 if scope == "admin" else 403 for scope in SCOPES}
        assert httpx.get(f"{url}/keys").status_code == 401
        assert httpx.get(f"{url}/openapi.json").status_code == 200


def test_the_databases_commands_run(tmp_path: Path) -> None:
    """Up, checked and down to the revision that is printed, in a new home; then it does not fit."""
    [snippet] = snippets(PAGE, "bash")
    expect([], run(snippet, tmp_path))
    url = f"sqlite:///{tmp_path / '.autoglm' / 'control.db'}"
    with migrate.migrating(url) as connection:
        assert migrate.revisions(connection) == ("0003",)
    migrate.upgrade(url)
    migrate.check(url)


FACTS: list[Any] = [
    f"failed_attempts_per_minute: {AccessConfig().failed_attempts_per_minute} ",
    f"After {AccessConfig().failed_attempts_per_minute} wrong credentials in a minute",
    f"IPv6: one /{attempts.IPV6_NETWORK_BITS}",
    f"`leeway_s` ({JwtConfig(audience='a', jwks_file=Path('a')).leeway_s:.0f})",
    f"RSA below {jwks.MIN_RSA_BITS:,} bits",
    f"{MIN_PASSWORD} to {MAX_PASSWORD} characters",
    f"`server: {{max_body_bytes}}`, {ServerConfig().max_body_bytes // 2**20} MiB",
    f"{Limits().max_inputs:,} and {Limits().max_text_chars:,}",
    f"{MAX_PIXELS // 10**6} million pixels",
    f"{admission.MAX_BODY_BYTES // 2**10} KiB",
    f"{MAX_ARCHIVE_BYTES // 2**30} GiB",
    f"{['one', 'two', 'three'][tasks.MAX_UPLOADS - 1]} uploads at once",
    f"{jwt.MAX_TOKEN // 2**10} KiB; {key_source.MAX_BYTES // 2**20} MiB and {jwks.MAX_KEYS} keys",
]


@pytest.mark.parametrize("fact", FACTS)
def test_the_numbers_are_the_codes(fact: str) -> None:
    """A limit that is changed is changed on the page."""
    assert fact in " ".join(TEXT.split())
