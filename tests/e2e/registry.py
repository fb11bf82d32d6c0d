"""Tools and grants of a test's own on the running cluster, by the admin API; all are taken out in the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

SETTLED_S = 60
IN_A_ROW = 6  # answers on connections of their own from two router replicas, of which none is another than the others
NEW = {"connection": "close"}
LOOPBACK = {"allow_http": True, "allow_networks": ["127.0.0.0/8"]}


class Registry:
    """What it registers is for the tenant of the local key, which it grants only what the test says."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self._entries: list[str] = []
        self._grants: list[str] = []
        self._offered: set[str] = set()

    def put(self, name: str, **entry: Any) -> None:
        """Register an entry, or another in its place."""
        answer(self.http.put(f"/admin/v1/tools/{name}", json=entry))
        self._entries.append(name)

    def load(self, name: str, **entry: Any) -> None:
        """Register an entry and wait until every replica of its host has loaded it."""
        self.put(name, **entry)
        self.until(name, "loaded")

    def delete(self, name: str) -> None:
        """Take an entry out."""
        answer(self.http.delete(f"/admin/v1/tools/{name}"))
        self._entries = [known for known in self._entries if known != name]

    def grant(self, tool: str, **rest: Any) -> str:
        """A grant's id."""
        body = {"kind": "tenant", "subject": "default", "tool": tool, **rest}
        self._grants.append(answer(self.http.post("/admin/v1/grants", json=body))["id"])
        return self._grants[-1]

    def revoke(self, grant: str) -> None:
        """Take a grant away."""
        answer(self.http.delete(f"/admin/v1/grants/{grant}"))
        self._grants.remove(grant)

    def card(self, name: str) -> dict[str, Any]:
        """An entry as the admin listing has it."""
        cards = {card["name"]: card for card in answer(self.http.get("/admin/v1/tools"))["data"]}
        return cards[name]

    def until(self, name: str, status: str) -> dict[str, Any]:
        """The entry's card once it fares so."""
        return until(lambda: self.card(name), lambda card: card["status"] == status)

    def offers(self, *tools: str, but: tuple[str, ...] = (), **arguments: Any) -> None:
        """Wait until every router replica and the planner offer these tools, with these arguments, and not `but`."""
        self._offered |= set(tools)
        until_in_a_row(lambda: set(tools) <= self.listed() and self.listed().isdisjoint(but))
        for name in tools:
            until_in_a_row(lambda name=name: not self._is_unknown(name, **arguments))
        for name in but:
            until_in_a_row(lambda name=name: self._is_unknown(name))

    def listed(self) -> set[str]:
        """The tools that the local key may use, as one router replica says."""
        return {card["name"] for card in answer(self.http.get("/v1/tools", headers=NEW))["data"]}

    def kept(self, tool: str, outcome: str, run: dict[str, Any] | None = None, preview: str = "") -> Any:
        """The calls of a tool that ended so, of a run and with this in their arguments, once they are in the audit."""
        key = "" if run is None else f"{run['id']}:"

        def found() -> list[dict[str, Any]]:
            page = answer(self.http.get("/admin/v1/tool-calls", params={"tenant": "default", "limit": 200}))["data"]
            of_tool = (call for call in page if (call["tool"], call["outcome"]) == (tool, outcome))
            return [call for call in of_tool if call["key"].startswith(key) and preview in call["preview"]]

        return until(found, bool)

    def clear(self) -> None:
        """Take out what is left, and wait until nobody offers it any more."""
        for grant in tuple(self._grants):
            self.revoke(grant)
        for name in dict.fromkeys(self._entries):
            self.delete(name)
        self.offers(but=tuple(self._offered))

    def _is_unknown(self, tool: str, **arguments: Any) -> bool:
        """Whether the planner refuses a plan with this tool, and not only for its arguments."""
        response = planned(self.http, step("a", tool, **arguments), dry_run=True)
        return response.status_code == 403 or "there is no" in response.text or "is not there" in response.text


def step(
    name: str, tool: str, /, *, kind: str = "tool", after: tuple[str, ...] = (), **arguments: Any
) -> dict[str, Any]:
    """A step of a plan."""
    return {"id": name, "kind": kind, "name": tool, "arguments": arguments, "after": list(after)}


def planned(http: httpx.Client, *steps: dict[str, Any], answer: str = "done", **request: Any) -> httpx.Response:
    """What comes of a plan."""
    plan = {"steps": list(steps), "answer": answer}
    return http.post("/v1/tasks", json={"instruction": "Do as the plan says.", "plan": plan, **request})


def ran(http: httpx.Client, *steps: dict[str, Any], answer: str = "done") -> dict[str, Any]:
    """The run of a plan, as it ended."""
    response = planned(http, *steps, answer=answer)
    assert response.status_code == 200, response.text
    run: dict[str, Any] = response.json()
    return run


def called(http: httpx.Client, tool: str, /, **arguments: Any) -> httpx.Response:
    """One call of a tool by itself, at whichever router replica."""
    return http.post(f"/v1/tools/{tool}", json={"arguments": arguments}, headers=NEW)


def failure(told: dict[str, Any]) -> tuple[str, str]:
    """Code and message of a run's or an answer's error."""
    return told["error"]["code"], told["error"]["message"]


def answer(response: httpx.Response) -> Any:
    """The JSON of a success."""
    assert response.is_success, response.text
    return response.json()


def until(ask: Callable[[], Any], is_so: Callable[[Any], bool]) -> Any:
    """What is answered once it is so."""
    end = time.monotonic() + SETTLED_S
    while not is_so(found := ask()):
        if time.monotonic() > end:
            pytest.fail(f"not so within {SETTLED_S} s: {found}")
        time.sleep(0.1)
    return found


def until_in_a_row(is_so: Callable[[], bool]) -> None:
    """Return when every replica says so."""
    end, row = time.monotonic() + SETTLED_S, 0
    while row < IN_A_ROW:
        row = row + 1 if is_so() else 0
        assert time.monotonic() < end, f"not on every replica within {SETTLED_S} s"
