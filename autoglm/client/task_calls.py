"""The calls of `/v1/tasks`: an instruction, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict, TypeVar

import httpx

from autoglm.client.admin_calls import Pages, given, segment
from autoglm.client.calls import reads
from autoglm.client.exchange import Call
from autoglm.client.failure import run_error
from autoglm.contract.plan import Plan
from autoglm.contract.task_run import TaskRun, TaskRunList
from autoglm.errors import ConfigError

S = TypeVar("S")

PATH = "/v1/tasks"
LAST_EVENT_ID = "last-event-id"  # of the WHATWG HTML standard, section 9.2.4


class RunOptions(TypedDict, total=False):
    """How an instruction is done, by keyword.

    `tools`: the names of those that the plan may use, by default all that the caller may. `plan`: the caller's own, a
    Plan or its JSON, instead of one that is made. `dry_run`: the plan only. `approve`: the run waits, once planned, for
    `client.tasks.approve`. `background`: the run as it begins, at once; it goes on whatever happens to the connection
    or the cluster. `max_steps` and `timeout_s` (of the whole run, in seconds) lower the cluster's own limits.
    """

    tools: Iterable[str] | None
    plan: Plan | Mapping[str, Any] | None
    dry_run: bool
    approve: bool
    background: bool
    max_steps: int | None
    timeout_s: float | None


def run(instruction: str, options: RunOptions) -> Call[TaskRun]:
    """The run as it ended, or as it begins in the background.

    It may do things, so it is sent once; in the background its idempotency key lets it begin once however often.
    """
    return Call("POST", PATH, read_run, request(instruction, options), once=not options.get("background"))


def run_events(instruction: str, options: RunOptions, open_stream: Callable[[httpx.Response], S]) -> Call[S]:
    """A run's events, read by the stream that `open_stream` makes of the response.

    Raises:
        ConfigError: it is to go on in the background, of which the server tells the beginning only.
    """
    if options.get("background"):
        raise ConfigError(
            "background: got True with stream or on_event; follow it by client.tasks.events(client.run(…).id)"
        )
    payload = {**request(instruction, options), "stream": True}
    return Call("POST", PATH, open_stream, payload, streamed=True, once=True)


def request(instruction: str, options: RunOptions) -> dict[str, Any]:
    """The body, with what was given."""
    plan, tools = options.get("plan"), options.get("tools")
    own = plan.model_dump(mode="json", exclude_defaults=True) if isinstance(plan, Plan) else plan
    names = [tools] if isinstance(tools, str) else tools if tools is None else list(tools)
    return {"instruction": instruction, **given({**options, "plan": own, "tools": names})}


def get(run_id: str) -> Call[TaskRun]:
    """One run now."""
    return Call("GET", place(run_id), reads(TaskRun), idempotent=True)


def runs() -> Pages[TaskRun]:
    """The tenant's runs, the newest first."""
    after: Mapping[str, Any] = {}
    while True:
        page = yield Call("GET", PATH, reads(TaskRunList), query=after, idempotent=True)
        if not (page.has_more and page.data):
            return
        after = {"after": page.data[-1].id}


def events(run_id: str, after: int) -> Call[httpx.Response]:
    """The events after the one of this number, as a response that is still to be read."""
    headers = {LAST_EVENT_ID: str(after)} if after else {}
    return Call("GET", f"{place(run_id)}/events", lambda it: it, streamed=True, idempotent=True, headers=headers)


def cancel(run_id: str) -> Call[TaskRun]:
    """A run ended; sent again, it would be over."""
    return Call("POST", f"{place(run_id)}/cancel", reads(TaskRun), once=True)


def approve(run_id: str, step: str | None, *, approved: bool, reason: str) -> Call[TaskRun]:
    """A decision; sent again, the run would no longer wait for it."""
    payload = {**given({"step": step}), "approved": approved, "reason": reason}
    return Call("POST", f"{place(run_id)}/approve", reads(TaskRun), payload, once=True)


def place(run_id: str) -> str:
    """The path of a run."""
    return f"{PATH}/{segment(run_id)}"


def read_run(response: httpx.Response) -> TaskRun:
    """A run that did not fail."""
    return outcome(reads(TaskRun)(response))


def outcome(run: TaskRun) -> TaskRun:
    """The run, unless it failed.

    Raises:
        APIStatusError: the class of the error that it failed with.
    """
    if run.status == "failed":
        raise run_error(run)
    return run
