"""The real admin API over a database of the test's own, on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import uvicorn
from fastapi import Request
from sqlalchemy import insert, select

from autoglm.contract import KeyRequest
from autoglm.contract.breaker import BreakerCard, BreakerControl
from autoglm.errors import AuthenticationError
from cluster.control import holds, keys, migrate, tool_calls
from cluster.control.api import build_admin
from cluster.control.applications import State
from cluster.control.database import Database
from cluster.control.routers import Sighting
from cluster.control.tables import Registration, Usage
from cluster.control.usage import Spent
from deployments.access.principal import Principal
from deployments.tools.call_log import CallEntry
from serve_app.app import app_name

TODAY = date(2026, 3, 1)


class AdminServer:
    """Every live key of the database authenticates; `secret` is that of an administrator's."""

    def __init__(self, database: Database, listener: socket.socket) -> None:
        self.database = database
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        self.key_id, self.secret = self.add_key("root", "admin")
        self.fates = [State("running")]  # of a registered version's application; the last one stays

    def authenticate(self, request: Request) -> Principal:
        secret = request.headers.get("authorization", "").removeprefix("Bearer ")
        with self.database.read() as session:
            caller = keys.verify(session, secret, datetime.now(UTC))
        if caller is None:
            raise AuthenticationError("authorization: no such key", param="authorization")
        return caller

    def add_key(self, name: str, *scopes: str) -> tuple[str, str]:
        """A key's id and its secret."""
        asked = KeyRequest.model_validate({"name": name, "tenant": "ops", "scopes": scopes})
        with self.database.write() as session:
            key, secret = keys.create(session, asked, datetime.now(UTC))
            return key.id, secret

    def states(self) -> dict[str, State]:
        """Serve as the tests need it: every version's application has the next of `fates`."""
        with self.database.read() as session:
            names = [app_name(row.name, row.version) for row in session.scalars(select(Registration))]
        fate = self.fates.pop(0) if names and len(self.fates) > 1 else self.fates[0]
        return dict.fromkeys(names, fate)

    def sight(self) -> Sighting:
        """Two routers, one of which answers; it knows a chat model and obeys holds at once."""
        with self.database.read() as session:
            held = {(hold.name, hold.version): hold.state for hold in holds.all(session)}
        cards = [
            BreakerCard(name="chat", version="v1", replica="r1", state="half_open", calls=8, failure_rate=0.625),
            BreakerCard(name="chat", version="v2", replica="r1", state="closed"),
        ]
        return Sighting(tuple(obeying(card, held.get((card.name, card.version))) for card in cards), 2, 1)

    def spend(self, *, days: int, models: int = 1) -> None:
        """A request of 10 and 5 tokens for 1.5 of the currency, of each model on each of the days up to TODAY."""
        spent = [
            asdict(Spent("key_a", "acme", f"m{model:05}", TODAY - timedelta(days=day), 1, 10, 5, 1_500_000))
            for day in range(days)
            for model in range(models)
        ]
        with self.database.write() as session:
            session.execute(insert(Usage), spent)

    def call_tools(self, *tools: str) -> None:
        """A call of each, in this order."""
        entries = [
            CallEntry(datetime.now(UTC), "key:key_a", "acme", tool, "k", "0" * 64, '{"x": 1}', "ok", 0.25)
            for tool in tools
        ]
        with self.database.write() as session:
            tool_calls.add(session, entries, 0, datetime.now(UTC))


def obeying(card: BreakerCard, state: BreakerControl | None) -> BreakerCard:
    """The card as it is when its breaker is held."""
    return card if state is None else card.model_copy(update={"state": state, "forced": True})


@contextmanager
def running(folder: Path) -> Iterator[AdminServer]:
    """The server, which listens before it is started, so that nothing needs to wait for it."""
    url = f"sqlite:///{folder / 'control.db'}"
    migrate.upgrade(url)
    with closing(Database(url)) as database, socket.create_server(("127.0.0.1", 0)) as listener:
        admin = AdminServer(database, listener)
        application = build_admin(database, admin.authenticate, states=admin.states, sight=admin.sight)
        server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield admin
        finally:
            server.should_exit = True
            thread.join()
