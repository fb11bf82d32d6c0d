"""The router, the planner, a tool host and the ledger of runs in one process, on handles without Serve between."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from autoglm.contract import Prediction
from autoglm.contract.scope import Scope
from cluster.control import migrate
from cluster.control.database import Database
from cluster.control.runs import RunLedger
from deployments.access import KeyView, Snapshot, secret
from deployments.quota import Lease, Report, Wanted
from deployments.tools.call_log import CallEntry
from deployments.tools.deployment import ToolHost
from serve_app.app import declared_tools, tools_application
from serve_app.config import parse
from serve_app.ingress import Ingress
from serve_app.planner.deployment import ClusterPlanner
from tests.fake_replica import FakeReplica
from tests.serve_app.local_handle import LocalHandle

KEY = "ag-of-the-test"
FILE = Path("serve_app/default.yaml")
CHAT = {
    "id": "chat-1",
    "object": "chat.completion",
    "created": 1,
    "model": "chat",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
}
ROUTES = [
    {"name": "chat", "task": "text-generation", "model": "m", "version": "v1", "app": "chat", "deployment": "llm"},
    {
        "name": "sentiment",
        "task": "text-classification",
        "model": "m",
        "version": "v1",
        "app": "sentiment",
        "deployment": "predictor",
        "labels": ["negative", "positive"],
    },
]


class Control:
    """The control plane's part that others call by handle, over a real ledger."""

    def __init__(self, database: Database) -> None:
        self._runs = RunLedger(database)
        self.calls: list[CallEntry] = []
        self.reports: list[Report] = []

    async def runs(self, method: str, *arguments: Any) -> Any:
        return await asyncio.to_thread(getattr(self._runs, method), *arguments)

    async def tool_calls(self, entries: Any, lost: int) -> None:
        self.calls += entries

    async def report(self, report: Report) -> None:
        self.reports.append(report)

    async def reserve(self, wanted: Wanted) -> Lease:
        raise AssertionError(f"nobody has a quota, and {wanted} is asked for")


class House:
    """All of it. `told` is what the control plane tells the applications; a change of it is told by `tell`."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'control.db'}"
        migrate.upgrade(url)
        self._database = Database(url)
        self.control = Control(self._database)
        self.chat, self.sentiment = FakeReplica(answer=CHAT), FakeReplica(predict=classified)
        self.tools = ToolHost()
        self.ingress = Ingress({}, connect=self._connect, reach=self._reach)
        self.planner = ClusterPlanner(self._reach)
        self._handles = {
            ("control", "control"): LocalHandle(self.control),
            ("router", "autoglm"): LocalHandle(self.ingress),
            ("planner", "planner"): LocalHandle(self.planner),
            ("tools", "tools"): LocalHandle(self.tools),
        }
        config = parse(FILE.read_text(), "default.yaml")
        self._declared = declared_tools(config)
        self._hosted = tools_application(config.tools)["deployments"][0]["user_config"]
        self.told: dict[str, Any] = {}

    async def __aenter__(self) -> House:
        await self.tools.reconfigure(self._hosted)
        await self.tell()
        app = await self.ingress.__serve_build_asgi_app__()
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://test",
            headers={"authorization": f"Bearer {KEY}"},
            timeout=60,
        )
        for toolbox in (self.ingress.toolbox, self.planner.toolbox):
            while len(toolbox.cards) < len(self._declared["declared_tools"]):  # noqa: ASYNC110  # it tells nobody
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.client.aclose()
        await self.planner.aclose()
        await self.ingress._stop()
        await self.tools.stop()
        self._database.close()

    async def tell(self) -> None:
        """As the reconcile loop does."""
        await self.ingress.reconfigure({"routes": ROUTES, **self._declared, **self.told})
        planner = {"background": {"poll_s": 0.05, "lease_s": 5.0}}
        await self.planner.reconfigure({"planner": planner, **self._declared, **self.told})

    def key(self, name: str, *scopes: str) -> tuple[KeyView, str]:
        """A key of the tenant `name`, and its secret."""
        shown = secret.new_secret()
        digest = secret.digest(shown).hex()
        view = KeyView(
            id=f"key_{name}",
            prefix=secret.prefix_of(shown),
            sha256=digest,
            tenant=name,
            scopes=tuple(map(Scope, scopes)),
        )
        keys = (*Snapshot.model_validate(self.told.get("credentials", {})).keys, view)
        self.told["credentials"] = Snapshot(epoch=len(keys), keys=keys).model_dump(mode="json")
        return view, shown

    async def ask(self, instruction: str, *, key: str = KEY, **request: Any) -> httpx.Response:
        """`POST /v1/tasks`."""
        headers = {"authorization": f"Bearer {key}"}
        return await self.client.post("/v1/tasks", json={"instruction": instruction, **request}, headers=headers)

    def _reach(self, deployment: str, app: str) -> LocalHandle:
        return self._handles[deployment, app]

    def _connect(self, deployment: str, app: str, balancing: Any) -> FakeReplica:
        return {"chat": self.chat, "sentiment": self.sentiment}[app]


def classified(inputs: list[Any]) -> dict[str, Any]:
    """A text with "good" in it is positive."""
    labels = ["positive" if "good" in text else "negative" for text in inputs]
    return {"outputs": [Prediction(label=label, score=0.9) for label in labels], "tokens": 4}
