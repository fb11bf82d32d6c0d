"""Whatever an administrator sends, on both databases: no 5xx, and every answer is in the schema."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import schemathesis
from fastapi import Request

from autoglm.contract.breaker import BreakerCard
from autoglm.contract.grant import Grant, GrantCard
from autoglm.contract.scope import Scope
from autoglm.errors import AuthenticationError
from cluster.control import tools, upsert
from cluster.control.api import build_admin
from cluster.control.database import Database
from cluster.control.routers import Sighting
from cluster.control.store import Store
from cluster.control.tables import GrantRow, Tenant
from deployments.access.principal import Principal
from deployments.clock import utc_now
from tests.fuzzing import Fuzzing, config, lead_past_not_found, send_archives, served

KEY = "ag-of-the-test"
GRANT = GrantCard(
    id="grant_" + "0" * 20,
    grant=Grant(kind="tenant", subject="acme", tool="clock"),
    created=datetime(2026, 3, 1, tzinfo=UTC),
)
NAMES = {
    "/admin/v1/quotas/{kind}/{subject}": {"kind": "tenant", "subject": "acme"},
    "/admin/v1/breakers/{name}/{version}": {"name": "chat", "version": "v1"},
    "/admin/v1/tools/{name}": {"name": "clock"},
    "/admin/v1/grants/{grant_id}": {"grant_id": GRANT.id},
}
SIGHTING = Sighting((BreakerCard(name="chat", version="v1", replica="r1", state="closed"),), 1, 1)
VERSION = "/admin/v1/tasks/{name}/versions/{version}"
UPLOADED = {f"{method} {VERSION}" for method in ("PUT", "GET", "DELETE")}  # takes a fitted task, which no chance makes


def authenticate(request: Request) -> Principal:
    """One administrator."""
    if request.headers.get("authorization") != f"Bearer {KEY}":
        raise AuthenticationError("authorization: the key is not valid", param="authorization")
    return Principal(kind="local", id="local", tenant="default", scopes=(Scope("admin"),))


@pytest.fixture
def schema(database: Database, tmp_path: Path) -> schemathesis.BaseSchema:
    with database.write() as session:
        upsert.ensure(session, Tenant, {"name": "acme", "created": utc_now()})
        session.add(GrantRow(id=GRANT.id, created=GRANT.created, **GRANT.grant.model_dump()))
        tools.put(session, "clock", {"name": "clock", "embedded": "current_time"}, utc_now())
    app = served(build_admin(database, authenticate, store=Store(tmp_path / "store"), sight=lambda: SIGHTING))
    headers = {"authorization": f"Bearer {KEY}"}
    schema = schemathesis.openapi.from_asgi("/admin/v1/openapi.json", app, config=config(KEY), headers=headers)
    lead_past_not_found(schema, NAMES)
    send_archives()
    return schema


@pytest.mark.timeout(300)  # 25 operations, each some hundred times
def test_every_answer_is_in_the_schema(schema: schemathesis.BaseSchema) -> None:
    """As the schema has it, against it, without a key, by other methods, and one after another on what was made."""
    fuzzing = Fuzzing(schema)
    assert not fuzzing.faults, "\n\n".join(fuzzing.faults)
    operations = {operation.ok().label for operation in schema.get_all_operations()}
    assert operations - fuzzing.answered(200, 201) == UPLOADED
    assert fuzzing.answered(401) == operations
