"""vLLM's side of a stream, without vLLM: a token is a byte of UTF-8, and the chunks are of its form."""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import orjson

PROMPT = [1, 2, 3]
EOS = 0


class ByteDetokenizer:
    """Holds back what vLLM's holds back: half a character, and as much as a stop string may have begun."""

    def __init__(self, stop: str = "", include_stop: bool = False) -> None:
        self._stop = stop
        self._include_stop = include_stop
        self._held = 0 if include_stop else max(0, len(stop) - 1)
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        self._text = ""
        self._given = 0

    def update(self, new_token_ids: list[int], stop_terminated: bool) -> str | None:
        self._text += self._decoder.decode(bytes(new_token_ids[:-1] if stop_terminated else new_token_ids))
        if not self._stop or (at := self._text.find(self._stop)) < 0:
            return None
        self._text = self._text[: at + (len(self._stop) if self._include_stop else 0)]
        return self._stop

    def get_next_output_text(self, finished: bool, delta: bool) -> str:
        upto = max(self._given, len(self._text) - (0 if finished else self._held))
        text, self._given = self._text[self._given : upto], upto
        return text


class FakeEngine:
    """Writes `answer`, `group` tokens a chunk, whatever it is asked; behind the tokens that are in the prompt already.

    At token `fails_at` it says what vLLM says when its engine dies.
    """

    def __init__(self, answer: str, group: int = 1, fails_at: int | None = None) -> None:
        self._tokens = [*answer.encode(), EOS]
        self._group = group
        self._fails_at = fails_at
        self.asked: list[dict[str, Any]] = []
        self.is_closed = False

    async def lines(self, method: str, request: dict[str, Any]) -> AsyncGenerator[str]:
        """The answer's server-sent events."""
        self.asked.append(request)
        try:
            for chunk in self._chunks(method, request):
                yield f"data: {orjson.dumps(chunk).decode()}\n\n"
            yield "data: [DONE]\n\n"
        finally:
            self.is_closed = True

    def _chunks(self, method: str, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        prompt = request["prompt"] if isinstance(request.get("prompt"), list) else PROMPT
        tokens = self._tokens[len(prompt) - len(PROMPT) :]
        first: dict[str, Any] = {"prompt_token_ids": prompt}
        if method == "chat":
            yield framed(method, {"delta": {"role": "assistant", "content": ""}, "finish_reason": None}) | first
            first = {}
        written = 0
        for choice in self._choices(method, request, tokens):
            written += len(choice["token_ids"])
            if self._fails_at is not None and written >= self._fails_at:
                yield {"error": {"message": "the engine died", "type": "InternalServerError", "code": 500}}
                return
            yield framed(method, choice | first)
            first = {}
        if (request.get("stream_options") or {}).get("include_usage"):
            yield framed(method, None) | {"usage": usage(len(prompt), written)}

    def _choices(self, method: str, request: dict[str, Any], tokens: list[int]) -> Iterator[dict[str, Any]]:
        text = ByteDetokenizer(request.get("stop", ""), request.get("include_stop_str_in_output", False))
        limit = request.get("max_tokens") or len(self._tokens)
        taken: list[int] = []
        for count, token in enumerate(tokens, start=1):
            taken.append(token)
            stop = text.update([token], token == EOS)
            reason = "stop" if stop or token == EOS else "length" if count == limit else None
            if reason or len(taken) == self._group:
                added = text.get_next_output_text(reason is not None, True)
                said = {"text": added} if method == "completions" else {"delta": {"content": added} if added else {}}
                yield said | {"finish_reason": reason, "stop_reason": stop, "token_ids": taken}
                taken = []
            if reason:
                return


def framed(method: str, choice: dict[str, Any] | None) -> dict[str, Any]:
    """A chunk of an answer; without a choice that of the usage."""
    return {
        "id": "cmpl-1",
        "object": "chat.completion.chunk" if method == "chat" else "text_completion",
        "created": 17,
        "model": "chat",
        "choices": [] if choice is None else [{"index": 0, "logprobs": None} | choice],
    }


def usage(prompt: int, completion: int) -> dict[str, int]:
    """An answer's tokens."""
    return {"prompt_tokens": prompt, "total_tokens": prompt + completion, "completion_tokens": completion}
