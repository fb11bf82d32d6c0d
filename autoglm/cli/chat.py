"""`autoglm chat`: one answer, or a conversation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from autoglm.cli.inputs import piped_text
from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_error
from autoglm.client import AutoClient
from autoglm.errors import AutoGLMError

PROMPT = "> "


@dataclass
class Conversation:
    """The turns so far, and how the next one is answered."""

    client: AutoClient
    model: str
    options: dict[str, Any] = field(default_factory=dict)
    stream: bool = True
    turns: list[dict[str, str]] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Prints the answer, as it comes where it is streamed. A turn that fails leaves no trace in the history."""
        asked = [*self.turns, {"role": "user", "content": text}]
        answer = self._stream(asked) if self.stream else self._whole(asked)
        self.turns = [*asked, {"role": "assistant", "content": answer}]

    def _whole(self, turns: list[dict[str, str]]) -> str:
        answer = self.client.chat(turns, self.model, **self.options).text
        typer.echo(answer)
        return answer

    def _stream(self, turns: list[dict[str, str]]) -> str:
        pieces = []
        with self.client.chat(turns, self.model, stream=True, **self.options) as chunks:
            try:
                for chunk in chunks:
                    pieces.append(chunk.text)
                    typer.echo(chunk.text, nl=False)
            finally:
                typer.echo()  # so that an error does not stand behind half an answer
        return "".join(pieces)


def chat(
    text: Annotated[str | None, typer.Argument(help="What to say; without it, a conversation or stdin.")] = None,
    model: Annotated[str, typer.Option(help="The model.")] = "chat",
    system: Annotated[str | None, typer.Option(help="Instructions that precede the conversation.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, max=2, help="0 is deterministic.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="The longest answer.")] = None,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Print the answer when it is whole.")] = False,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Ask a model once, or talk to it."""
    said = text if text is not None or sys.stdin.isatty() else piped_text()
    if json and said is None:
        raise typer.BadParameter("--json answers one text; give it as an argument or pipe it in")
    options = {"temperature": temperature, "max_tokens": max_tokens}
    with AutoClient(api_key, base_url) as client:
        talk = Conversation(
            client,
            model,
            options={name: value for name, value in options.items() if value is not None},
            stream=not no_stream,
            turns=[{"role": "system", "content": system}] if system else [],
        )
        _answer(talk, said, as_json=json)


def _answer(talk: Conversation, said: str | None, *, as_json: bool) -> None:
    if said is None:
        converse(talk, read_line)
    elif as_json:
        turns = [*talk.turns, {"role": "user", "content": said}]
        typer.echo(talk.client.chat(turns, talk.model, **talk.options).model_dump_json())
    else:
        talk.say(said)


def converse(talk: Conversation, ask: Callable[[], str | None]) -> None:
    """One turn after the other until `ask` gives None; an error ends its turn, not the conversation."""
    while (text := ask()) is not None:
        if not text.strip():
            continue
        try:
            talk.say(text)
        except AutoGLMError as error:
            print_error(error)


def read_line() -> str | None:
    """A line of the terminal, with editing and history where the platform has readline; None at its end (Ctrl-D)."""
    try:
        import readline  # noqa: F401  (input() uses it once it is imported; Windows has none)
    except ImportError:
        pass
    try:
        return input(PROMPT)
    except EOFError:
        typer.echo()
        return None
