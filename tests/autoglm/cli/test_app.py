"""How the command line ends: with an answer, an error or an interrupt."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]
ENTRY = [sys.executable, "-c", "from autoglm.cli import main; main()"]


def test_an_error_is_one_line_on_stderr(run: Run, server: Any) -> None:
    """What the server says reaches the user without a traceback, and stdout stays clean for pipes."""
    server.replies["/v1/models"] = lambda request: request.answer({"error": {"message": "a key\nis needed"}}, 401)
    result = run("models", "--json")
    assert result.exit_code == 1
    assert result.stderr == "error: a key is needed\n"
    assert result.stdout == ""


def test_the_key_of_the_command_line_is_sent_and_never_printed(run: Run, server: Any) -> None:
    """It goes before the environment's, and stands in no output, the help's defaults included."""
    server.replies["/v1/models"] = lambda request: request.answer({"data": [{"id": "chat", "task": "chat"}]})
    result = run("models", "--api-key", "ag-given")
    assert server.requests[0].headers["authorization"] == "Bearer ag-given"
    assert result.exit_code == 0
    assert "chat" in result.stdout
    assert "ag-" not in result.output + run("models", "--help").output


def test_a_wrong_usage_exits_with_2(run: Run) -> None:
    """Scripts can tell a typing error from a server's."""
    assert run("chat", "x", "--temperature", "9").exit_code == 2


def test_the_table_and_the_json_list_the_same_models(run: Run, server: Any) -> None:
    """`--json` is the server's answer; the table shows names literally, markup or not."""
    card = {"id": "sentiment[bold]", "task": "text-classification", "versions": ["v1", "v2"]}
    server.replies["/v1/models"] = lambda request: request.answer({"data": [card]})
    shown = run("models").stdout
    assert "sentiment[bold]" in shown
    assert "v1, v2" in shown
    assert json.loads(run("models", "--json").stdout)["data"][0]["id"] == "sentiment[bold]"


def test_an_interrupt_ends_quietly_with_130(run: Run, server: Any) -> None:
    """Ctrl-C while an answer is awaited is no error: the shell's own status, and not a word."""
    asked, over = threading.Event(), threading.Event()

    def reply(request: Any) -> None:
        asked.set()
        over.wait(30)
        request.cut()

    server.replies["/v1/models"] = reply

    def heed_interrupts() -> None:  # which a shell's background jobs are started not to do
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(
        [*ENTRY, "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_interrupts
    ) as process:
        assert asked.wait(30)
        process.send_signal(signal.SIGINT)
        output, complaints = process.communicate(timeout=30)
        over.set()
    assert (process.returncode, output, complaints) == (130, b"", b"")
