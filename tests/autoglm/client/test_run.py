"""Instructions: what is sent, what comes back, what is raised, and how a run is watched and followed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from autoglm import errors
from autoglm.client import RetryPolicy
from autoglm.contract import Plan, RunEvent, Step
from tests.autoglm.client.faulty_server import EVENTS, RUN_ID, FaultyServer

pytestmark = pytest.mark.usefixtures("clean_environment")

Connect = Callable[..., Any]
RUN = {"id": RUN_ID, "instruction": "x", "status": "succeeded", "answer": "391", "created": "2026-03-01T00:00:00Z"}
FAILED = RUN | {
    "status": "failed",
    "answer": None,
    "error": {"message": "tool 'mail' needs a grant", "code": "permission_denied", "param": "steps.s1"},
}


class Network:
    """A transport's handler that keeps the requests and answers each path with what comes next for it."""

    def __init__(self, **answers: Any) -> None:
        self._answers = {f"/v1/{path}": iter(bodies) for path, bodies in answers.items()}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        body = next(self._answers[request.url.path])
        return body if isinstance(body, httpx.Response) else httpx.Response(200, json=body)

    @property
    def sent(self) -> Any:
        return json.loads(self.requests[-1].content)


def events(*found: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, text="".join(f"data: {json.dumps(event)}\n\n" for event in found))


def of_run(**bodies: Any) -> Network:
    """Answers of the paths below the run's own."""
    return Network(**{f"tasks/{RUN_ID}{'/' * bool(path)}{path}": answers for path, answers in bodies.items()})


def test_an_instruction_is_answered(connect: Connect) -> None:
    """The page's one-liner; only what was given is sent, under a key that makes it one piece of work."""
    network = Network(tasks=[RUN])
    run = connect(network).run("What is 17 * 23?")
    assert (run.answer, str(run)) == ("391", "391")
    assert network.sent == {"instruction": "What is 17 * 23?"}
    assert network.requests[0].headers["idempotency-key"]


def test_the_options_reach_the_server(connect: Connect) -> None:
    """A plan goes as it was made, without its defaults, or as the JSON that it already is."""
    network = Network(tasks=[RUN, RUN])
    client = connect(network)
    plan = Plan(
        steps=(Step(id="a", kind="tool", name="calculate", arguments={"expression": "1"}),), answer="${a.value}"
    )
    client.run("x", plan=plan, tools=("calculate",), dry_run=True, approve=True, max_steps=3, timeout_s=2.5)
    own = {
        "steps": [{"id": "a", "kind": "tool", "name": "calculate", "arguments": {"expression": "1"}}],
        "answer": "${a.value}",
    }
    assert network.sent == {
        "instruction": "x",
        "plan": own,
        "tools": ["calculate"],
        "dry_run": True,
        "approve": True,
        "max_steps": 3,
        "timeout_s": 2.5,
    }
    client.run("x", plan=own, background=True, tools="calculate")
    assert network.sent == {"instruction": "x", "plan": own, "background": True, "tools": ["calculate"]}


def test_a_run_that_failed_raises_its_error(connect: Connect) -> None:
    """Though the request itself went well: the class is the one that is documented for its code."""
    with pytest.raises(errors.PermissionDeniedError, match="tool 'mail' needs a grant") as caught:
        connect(Network(tasks=[FAILED])).run("x")
    assert caught.value.param == "steps.s1"


@pytest.mark.parametrize(("fault", "attempts"), [("503", 1), ("reset", 1), ("500", 1), ("429 seconds", 3)])
@pytest.mark.parametrize("stream", [False, True])
def test_an_instruction_is_begun_once(connect: Connect, fault: str, attempts: int, stream: bool) -> None:
    """It may send a letter: it is repeated only where it was refused before anything was done."""
    with FaultyServer(lambda *_: fault) as server:
        with pytest.raises(errors.AutoGLMError):
            connect(base_url=server.base_url).run("x", stream=stream)
        assert server.attempts("x") == attempts


def test_in_the_background_it_is_sent_again_under_its_key(connect: Connect) -> None:
    """There the server begins one run for one key, so a lost answer need not be the caller's trouble."""
    with FaultyServer(lambda _, attempt: "reset" if attempt == 1 else None) as server:
        assert connect(base_url=server.base_url).run("x", background=True).id == RUN_ID
        assert (server.attempts("x"), server.executed["x"]) == (2, 1)


def test_each_event_is_told_as_it_comes(connect: Connect, server: Any) -> None:
    """The server writes the end only when the caller has heard of the beginning; the run is then the answer."""
    told: list[RunEvent] = []
    heard = threading.Event()

    def reply(request: Any) -> None:
        request.start_stream()
        request.send_event(json.dumps({"seq": 1, "type": "token", "text": "3"}))
        request.send_event(json.dumps({"seq": 2, "type": "answer", "run": RUN if heard.wait(30) else FAILED}))
        request.end_stream()

    def note(event: RunEvent) -> None:
        told.append(event)
        heard.set()

    server.replies["/v1/tasks"] = reply
    assert connect(base_url=server.base_url).run("x", on_event=note).answer == "391"
    assert [(event.type, event.text) for event in told] == [("token", "3"), ("answer", None)]
    assert server.requests[0].sent == {"instruction": "x", "stream": True}


def test_a_watched_run_that_failed_raises_after_its_last_event(connect: Connect) -> None:
    """The watcher hears of it, and the caller gets the documented class."""
    told: list[RunEvent] = []
    network = Network(tasks=[events({"seq": 1, "type": "error", "error": FAILED["error"], "run": FAILED})])
    with pytest.raises(errors.PermissionDeniedError):
        connect(network).run("x", on_event=told.append)
    assert [event.type for event in told] == ["error"]


def test_a_stream_gives_the_events_and_raises_nothing_for_a_failed_run(connect: Connect) -> None:
    """Whoever iterates sees the failure as the last event; what stands behind it is not read."""
    found = events({"seq": 1, "type": "plan"}, {"seq": 2, "type": "error", "run": FAILED}, {"seq": 3, "type": "plan"})
    with connect(Network(tasks=[found])).run("x", stream=True) as stream:
        assert [event.seq for event in stream] == [1, 2]


def test_a_watched_run_ends_its_stream_where_it_must_be_approved(connect: Connect) -> None:
    """Nobody waits on a connection for a person."""
    waiting = RUN | {"status": "waiting", "waiting_for": "plan", "answer": None}
    network = Network(tasks=[events({"seq": 1, "type": "plan", "run": waiting})])
    assert connect(network).run("x", approve=True, on_event=print).waiting_for == "plan"


def test_a_cut_stream_of_a_run_raises_and_is_not_begun_again(connect: Connect) -> None:
    """The run went with its connection: to send it again would be to do it again."""
    with FaultyServer(lambda *_: "truncated") as server:
        stream = connect(base_url=server.base_url).run("x", stream=True)
        with pytest.raises(errors.APIConnectionError):
            list(stream)
        assert server.attempts("x") == 1


def test_a_run_in_the_background_is_not_streamed(connect: Connect) -> None:
    """The server would answer with its beginning alone; the error says how it is followed."""
    client = connect(Network())
    with pytest.raises(errors.ConfigError, match=r"client\.tasks\.events"):
        client.run("x", background=True, stream=True)
    with pytest.raises(errors.ConfigError, match="background"):
        client.run("x", background=True, on_event=print)


def breaking(*faults: str | None) -> Callable[[str, int], str | None]:
    return lambda _, attempt: faults[attempt - 1] if attempt <= len(faults) else None


@pytest.mark.parametrize(
    "faults", [("truncated",), ("hang up",), ("503", "truncated"), ("truncated", "reset", "truncated", "truncated")]
)
def test_followed_events_go_on_where_they_were_cut(connect: Connect, faults: tuple[str, ...]) -> None:
    """By the last event's id, as often as the policy allows between two events: each comes once, in its order."""
    with FaultyServer(breaking(*faults)) as server:
        with connect(base_url=server.base_url).tasks.events(RUN_ID) as stream:
            found = list(stream)
        last_ids = [request.headers.get("last-event-id") for request in server.requests]
    assert [event.seq for event in found] == list(range(1, EVENTS + 1))
    assert found[-1].run.status == "succeeded"
    assert last_ids[0] is None
    assert len(last_ids) == len(faults) + 1


def test_events_that_are_told_again_are_given_once(connect: Connect) -> None:
    """A server that knows no Last-Event-ID starts from the first."""
    first, last = {"seq": 1, "type": "plan"}, {"seq": 2, "type": "answer", "run": RUN}
    network = of_run(events=[events(first), events(first, last)])
    assert [event.seq for event in connect(network).tasks.events(RUN_ID)] == [1, 2]


def test_a_stream_that_brings_nothing_is_given_up(connect: Connect, clock: Any) -> None:
    """Three attempts without an event between, with the policy's waits; an event starts the count anew."""
    empty = [events() for _ in range(3)]
    network = of_run(events=[events({"seq": 1, "type": "plan"}), *empty])
    stream = connect(network, retry=RetryPolicy(max_attempts=3, uniform=lambda: 1.0)).tasks.events(RUN_ID)
    assert next(stream).seq == 1
    with pytest.raises(errors.APIConnectionError, match="the stream ended before the run"):
        next(stream)
    assert clock.waits == [0.5, 1.0]
    assert len(network.requests) == 3


@pytest.mark.parametrize("extra", [{}, {"seq": 1, "type": "error"}])
@pytest.mark.parametrize(("code", "attempts"), [("not_found", 1), ("unavailable", 2)])
def test_a_fault_that_ends_the_stream_is_retried_where_the_table_allows(
    connect: Connect, code: str, attempts: int, extra: dict[str, Any]
) -> None:
    """A control plane that restarts is waited for; a run that is gone is not. The run's next event is not missed."""
    network = of_run(
        events=[
            events({"error": {"message": "m", "code": code}, **extra}),
            events({"seq": 1, "type": "answer", "run": RUN}),
        ]
    )
    stream = connect(network).tasks.events(RUN_ID)
    if attempts == 1:
        with pytest.raises(errors.NotFoundError):
            list(stream)
    else:
        assert list(stream)[-1].type == "answer"
    assert len(network.requests) == attempts


def test_following_goes_past_a_wait_for_approval(connect: Connect) -> None:
    """Who follows a run wants its end, also when somebody else approves it."""
    waiting = {"seq": 1, "type": "plan", "run": RUN | {"status": "waiting"}}
    network = of_run(events=[events(waiting, {"seq": 2, "type": "answer", "run": RUN})])
    assert [event.seq for event in connect(network).tasks.events(RUN_ID)] == [1, 2]


def test_waiting_asks_less_and_less_often_until_the_run_is_over(connect: Connect, clock: Any) -> None:
    """A short run is heard of soon, and a long one costs a request each two seconds."""
    running = RUN | {"status": "running"}
    assert connect(of_run(**{"": [running] * 7 + [RUN]})).tasks.wait(RUN_ID).answer == "391"
    assert clock.waits == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_waiting_ends_with_its_time_or_with_the_runs_error(connect: Connect) -> None:
    """The message says how the run stood."""
    with pytest.raises(errors.APITimeoutError, match="still waiting after 1 s"):
        connect(of_run(**{"": [RUN | {"status": "waiting"}] * 9})).tasks.wait(RUN_ID, timeout_s=1)
    with pytest.raises(errors.PermissionDeniedError):
        connect(of_run(**{"": [FAILED]})).tasks.wait(RUN_ID)


def test_runs_are_listed_page_by_page(connect: Connect) -> None:
    """Each page is asked for by the last run of the one before; a failed one is listed, not raised."""
    network = Network(tasks=[{"data": [RUN, FAILED], "has_more": True}, {"data": [RUN]}])
    assert [run.status for run in connect(network).tasks.list()] == ["succeeded", "failed", "succeeded"]
    assert [dict(request.url.params) for request in network.requests] == [{}, {"after": RUN_ID}]


def test_a_run_is_cancelled_and_approved(connect: Connect) -> None:
    """The plan where no step is named."""
    network = of_run(cancel=[RUN | {"status": "cancelled"}], approve=[RUN, RUN])
    tasks = connect(network).tasks
    assert tasks.cancel(RUN_ID).status == "cancelled"
    tasks.approve(RUN_ID)
    assert network.sent == {"approved": True, "reason": ""}
    tasks.approve(RUN_ID, "mail", approved=False, reason="no")
    assert network.sent == {"step": "mail", "approved": False, "reason": "no"}


def test_a_tool_is_called_by_its_name_whatever_its_arguments_are_called(connect: Connect) -> None:
    """A name is one part of the path; `name` may be an argument too."""
    card = {"name": "greet", "parameters": {"type": "object"}}
    network = Network(
        tools=[{"data": [card]}], **{"tools/greet": [{"tool": "greet", "result": ["hi"], "seconds": 0.1}]}
    )
    tools = connect(network).tools
    assert tools.list().data[0].name == "greet"
    assert tools.call("greet", name="Ada").result == ["hi"]
    assert network.sent == {"arguments": {"name": "Ada"}}
    assert network.requests[-1].headers["idempotency-key"]
