"""`autoglm chat`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from autoglm.cli.chat import Conversation, converse
from autoglm.client import AutoClient

Run = Callable[..., Any]
CHAT_PATH = "/v1/chat/completions"
ENTRY = [sys.executable, "-c", "from autoglm.cli import main; main()"]


def whole(text: str) -> Callable[[Any], None]:
    return lambda request: request.answer({"choices": [{"message": {"content": text}}], "model": "chat"})


def test_tokens_are_printed_as_they_come(run: Run, server: Any) -> None:
    """The server writes the second token only when the first has left the command's stdout."""
    shown = threading.Event()

    def reply(request: Any) -> None:
        request.start_stream()
        request.send_token("Par")
        request.send_token("is." if shown.wait(30) else " never")
        request.send_event("[DONE]")
        request.end_stream()

    server.replies[CHAT_PATH] = reply
    with subprocess.Popen([*ENTRY, "chat", "Capital?"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(3) == b"Par"
        shown.set()
        assert process.stdout.read() == b"is.\n"
    assert process.returncode == 0


def test_options_reach_the_server(run: Run, server: Any) -> None:
    """Only those that were given: the engine's defaults stay the engine's."""
    server.replies[CHAT_PATH] = whole("Yes.")
    result = run("chat", "Hi", "--no-stream", "--model", "m", "--system", "Be brief", "--temperature", "0")
    assert result.stdout == "Yes.\n"
    assert server.requests[0].sent == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}],
        "temperature": 0.0,
    }


def test_piped_text_is_answered_once_as_json(run: Run, server: Any) -> None:
    """Without an argument stdin is the text, odd bytes included; `--json` is the whole answer and nothing else."""
    server.replies[CHAT_PATH] = whole("Yes.")
    result = run("chat", "--json", "--max-tokens", "5", stdin="one\ntwo \xff".encode("latin-1"))
    assert json.loads(result.stdout)["choices"][0]["message"]["content"] == "Yes."
    assert server.requests[0].sent["messages"] == [{"role": "user", "content": "one\ntwo �"}]
    assert server.requests[0].sent["max_tokens"] == 5


def test_a_stream_that_breaks_leaves_its_text_and_an_error(run: Run, server: Any) -> None:
    """Half an answer is shown, ended with a line, and not taken for a whole one."""

    def reply(request: Any) -> None:
        request.start_stream()
        request.send_token("Par")
        request.cut()

    server.replies[CHAT_PATH] = reply
    result = run("chat", "Capital?")
    assert (result.exit_code, result.stdout) == (1, "Par\n")
    assert result.stderr.startswith("error: ")


def test_a_conversation_remembers_its_turns_and_survives_an_error(
    server: Any, clean_environment: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each turn carries those before it; one that failed is told and forgotten, an empty line is nothing."""
    replies = iter([whole("Hello."), lambda request: request.answer({"error": {"message": "no"}}, 400), whole("Bye.")])
    server.replies[CHAT_PATH] = lambda request: next(replies)(request)
    lines = iter(["hi", "lost", "  ", "bye", None])
    with AutoClient(base_url=server.base_url) as client:
        converse(Conversation(client, "chat", stream=False), lambda: next(lines))
    assert [turn["content"] for turn in server.requests[-1].sent["messages"]] == ["hi", "Hello.", "bye"]
    printed = capsys.readouterr()
    assert printed.out == "Hello.\nBye.\n"
    assert printed.err == "error: no\n"
