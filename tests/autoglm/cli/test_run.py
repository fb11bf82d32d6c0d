"""`autoglm run` and `autoglm tasks`."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
from rich.console import Console

from autoglm.cli.watch import Watch
from autoglm.contract import RunEvent
from tests.autoglm.cli.test_app import ENTRY

Run = Callable[..., Any]
ID = f"run_{'0' * 32}"
STEP = {"id": "a", "kind": "tool", "name": "calculate"}
PLAN = {"steps": [STEP | {"arguments": {"expression": "17 * 23"}}], "answer": "${a.value}"}
STARTED, FINISHED = "2026-03-01T00:00:00Z", "2026-03-01T00:00:01.5Z"
RUN = {"id": ID, "instruction": "17 * 23?", "status": "succeeded", "answer": "391", "created": STARTED}
RUN |= {
    "plan": PLAN,
    "steps": [STEP | {"status": "succeeded", "started": STARTED, "finished": FINISHED, "result": 391}],
}
EVENTS = [
    {"seq": 1, "type": "plan", "plan": PLAN},
    {"seq": 2, "type": "step_started", "step": STEP | {"status": "running", "started": STARTED}},
    {"seq": 3, "type": "token", "text": "3"},
    {"seq": 4, "type": "step_finished", "step": RUN["steps"][0]},
    {"seq": 5, "type": "answer", "run": RUN},
]
LINES = [
    "plan: a (tool calculate)",
    "a: tool calculate running",
    "a: tool calculate succeeded in 1.50 s: 391",
]


def streamed(request: Any) -> None:
    request.start_stream()
    for event in EVENTS:
        request.send_event(json.dumps(event))
    request.end_stream()


def test_the_answer_is_printed_and_the_options_sent(run: Run, server: Any, tmp_path: Path) -> None:
    """Nothing but the answer, for pipes; a plan comes from its file."""
    server.replies["/v1/tasks"] = lambda request: request.answer(RUN)
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    result = run("run", "17 * 23?", "--plan", str(tmp_path / "plan.json"), "--tools", "calculate, days_between")
    assert (result.stdout, result.stderr) == ("391\n", "")
    sent = server.requests[0].sent
    assert (sent["instruction"], sent["tools"]) == ("17 * 23?", ["calculate", "days_between"])
    assert sent["plan"] == PLAN
    assert json.loads(run("run", "--json", stdin="17 * 23?").stdout)["answer"] == "391"
    assert server.requests[1].sent["instruction"] == "17 * 23?"


@pytest.mark.parametrize("content", [None, "{", '{"steps": [{"id": "A"}]}'])
def test_a_plan_that_is_none_is_a_wrong_usage(run: Run, tmp_path: Path, content: str | None) -> None:
    """Told before anything is sent, with the file and the field."""
    file = tmp_path / "plan.json"
    if content is not None:
        file.write_text(content)
    result = run("run", "x", "--plan", str(file))
    assert result.exit_code == 2
    assert "--plan" in result.stderr


def test_a_run_in_the_background_is_not_watched_from_its_beginning(run: Run) -> None:
    """A wrong usage: its connection tells the beginning alone."""
    result = run("run", "x", "--background", "--watch")
    assert result.exit_code == 2
    assert "--background and --watch" in result.stderr


def test_a_dry_run_prints_the_plan(run: Run, server: Any) -> None:
    """A line for each step, as it would run."""
    server.replies["/v1/tasks"] = lambda request: request.answer(RUN | {"status": "planned", "answer": None})
    assert run("run", "x", "--dry-run").stdout.splitlines() == [
        'a: tool calculate {"expression": "17 * 23"}',
        "answer: ${a.value}",
    ]
    assert server.requests[0].sent["dry_run"] is True


@pytest.mark.parametrize(
    ("option", "run_now", "hint"),
    [
        ("--background", {"status": "planning", "plan": None}, f"autoglm tasks watch {ID}"),
        ("--approve", {"status": "waiting", "waiting_for": "plan"}, f"autoglm tasks approve {ID}"),
        ("--approve", {"status": "waiting", "waiting_for": "mail"}, f"autoglm tasks approve {ID} --step mail"),
    ],
)
def test_a_run_that_goes_on_prints_its_id_and_what_to_do(
    run: Run, server: Any, option: str, run_now: dict[str, Any], hint: str
) -> None:
    """The id alone on stdout, so that a script can keep it."""
    server.replies["/v1/tasks"] = lambda request: request.answer(RUN | run_now)
    result = run("run", "x", option)
    assert result.stdout == f"{ID}\n"
    assert hint in result.stderr
    assert server.requests[0].sent[option.removeprefix("--")] is True


def test_a_run_that_failed_is_an_error(run: Run, server: Any) -> None:
    """One line on stderr and exit status 1, as for any other call."""
    failed = RUN | {"status": "failed", "error": {"message": "no tool can do this", "code": "unprocessable"}}
    server.replies["/v1/tasks"] = lambda request: request.answer(failed)
    result = run("run", "x")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "error: no tool can do this\n")


def test_a_run_that_was_cancelled_is_no_answer(run: Run, server: Any) -> None:
    """Somebody ended it, or did not approve its plan: a script must not take the word for what it asked for."""
    refused = {"message": "the plan was not approved", "code": "permission_denied"}
    server.replies["/v1/tasks"] = lambda request: request.answer(RUN | {"status": "cancelled", "error": refused})
    result = run("run", "x")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "cancelled: the plan was not approved\n")


def test_without_a_terminal_each_change_is_a_line_as_it_comes(run: Run, server: Any) -> None:
    """On stderr, beside the answer on stdout; the server goes on when the first line was seen."""
    shown = threading.Event()

    def reply(request: Any) -> None:
        request.start_stream()
        for event in EVENTS:
            request.send_event(json.dumps(event))
            if not (event["seq"] > 1 or shown.wait(30)):
                return
        request.end_stream()

    server.replies["/v1/tasks"] = reply
    with Popen([*ENTRY, "run", "17 * 23?", "--watch"], stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        shown.set()
        output, complaints = process.communicate(timeout=60)
    assert output == "391\n"
    assert [first.rstrip(), *complaints.splitlines()] == LINES


def test_in_a_terminal_the_steps_are_a_table() -> None:
    """Drawn anew with each event: each step's state, time and result."""
    screen = io.StringIO()
    with Watch(Console(file=screen, force_terminal=True, width=100, color_system=None)) as watch:
        for event in EVENTS:
            watch(RunEvent.model_validate(event))
    drawn = screen.getvalue()
    assert "pending" in drawn
    assert "running" in drawn
    last = drawn.rsplit("succeeded", 1)[1]
    assert "1.50 s" in last
    assert "391" in last


def test_a_terminal_obeys_nothing_in_a_tools_output() -> None:
    """Escape sequences move cursors and retitle windows; a result is shown, not obeyed."""
    screen = io.StringIO()
    step = STEP | {"status": "succeeded", "result": "a\x1b[2Jb\x9bc\nd"}
    with Watch(Console(file=screen)) as watch:
        watch(RunEvent.model_validate({"seq": 1, "type": "step_finished", "step": step}))
    assert screen.getvalue() == "a: tool calculate succeeded: a [2Jb c d\n"


def test_a_new_plan_keeps_the_steps_that_have_begun() -> None:
    """After a step failed, what is planned anew stands behind what was done."""
    screen = io.StringIO()
    again = {"steps": [{"id": "b", "kind": "tool", "name": "calculate"}]}
    with Watch(Console(file=screen, force_terminal=True, width=100, color_system=None)) as watch:
        for event in (*EVENTS[:4], {"seq": 5, "type": "plan", "plan": again}):
            watch(RunEvent.model_validate(event))
    last = screen.getvalue().rsplit("state", 1)[1]
    assert "succeeded" in last
    assert "pending" in last


def test_a_run_is_watched_to_its_answer(run: Run, server: Any) -> None:
    """Also one that is over: its events are told from the first."""
    server.replies[f"/v1/tasks/{ID}/events"] = streamed
    server.replies[f"/v1/tasks/{ID}"] = lambda request: request.answer(RUN)
    result = run("tasks", "watch", ID)
    assert result.stdout == "391\n"
    assert result.stderr.splitlines() == LINES


def test_runs_are_listed_shown_cancelled_and_approved(run: Run, server: Any) -> None:
    """Each as a line or a table, and as JSON."""
    waiting = RUN | {"status": "waiting", "waiting_for": "mail", "answer": None}
    server.replies["/v1/tasks"] = lambda request: request.answer({"data": [RUN, waiting], "has_more": True})
    server.replies[f"/v1/tasks/{ID}"] = lambda request: request.answer(RUN)
    server.replies[f"/v1/tasks/{ID}/cancel"] = lambda request: request.answer(waiting | {"status": "cancelled"})
    server.replies[f"/v1/tasks/{ID}/approve"] = lambda request: request.answer(waiting)
    assert ID in run("tasks", "list", "--limit", "1").stdout
    assert [
        json.loads(line)["status"] for line in run("tasks", "list", "--limit", "2", "--json").stdout.splitlines()
    ] == [
        "succeeded",
        "waiting",
    ]
    shown = run("tasks", "get", ID).stdout
    assert "1.50 s" in shown
    assert shown.endswith("succeeded: 391\n")
    assert run("tasks", "cancel", ID).stdout == "cancelled\n"
    assert run("tasks", "approve", ID, "--step", "mail", "--refuse", "--reason", "no").stdout.startswith("waiting")
    assert server.requests[-1].sent == {"step": "mail", "approved": False, "reason": "no"}
