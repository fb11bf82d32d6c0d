"""An answer that broke off on one replica, continued on another from the tokens that its caller has.

Method: the prompt and those tokens become the prompt of a text completion, so that only the prefill is computed twice
(the token-based migration of ServerlessLLM: Fu et al., OSDI 2024). The text is made here, by the detokenizer of the
first request: fed with the tokens that were sent, it holds back what the first replica held back (half a character,
the beginning of a stop string), and from there on it writes what that replica would have written. At temperature 0
the whole is the text of an undisturbed run; above it the rest is another draw.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Protocol

from autoglm.errors import BadRequestError
from deployments.llm.transcript import DONE, failure, parsed, sent
from deployments.stream import Event, Progress

Complete = Callable[[dict[str, Any]], AsyncGenerator[str]]  # a completions request -> the engine's events

# What the engine needs again to draw the next token as it drew those before.
SAMPLING = frozenset(
    {
        "ignore_eos",
        "length_penalty",
        "logit_bias",
        "min_p",
        "model",
        "priority",
        "repetition_penalty",  # counts the prompt too, in which the tokens now are
        "skip_special_tokens",
        "stop_token_ids",
        "temperature",
        "top_k",
        "top_p",
        "user",
    }
)
# What has done its work when the prompt is made, what is adjusted, and what is applied to the text here.
DONE_HERE = frozenset(
    {
        "add_generation_prompt",
        "chat_template_kwargs",
        "continue_final_message",
        "include_stop_str_in_output",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "min_tokens",
        "parallel_tool_calls",
        "prompt",
        "reasoning_effort",
        "return_token_ids",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
    }
)
# Fields that forbid it, unless they say what their absence says.
NEUTRAL: dict[str, Any] = {
    "best_of": 1,
    "echo": False,
    "frequency_penalty": 0,  # the two penalties count the answer's tokens alone
    "presence_penalty": 0,
    "n": 1,
    "response_format": {"type": "text"},
    "tool_choice": "none",
    "top_logprobs": 0,
}


def is_continuable(method: str, request: dict[str, Any]) -> bool:
    """Whether another replica could go on with the answer: one text, and no state beside its tokens.

    A field that is not known here forbids it.
    """
    for field, value in request.items():
        if field in SAMPLING or field in DONE_HERE or value is None:
            continue
        if field == "logprobs" and value is False:  # 0 asks for the logprob of each token
            continue
        if field not in NEUTRAL or value != NEUTRAL[field]:
            return False
    return has_text_alone(request["messages"]) if method == "chat" else is_one_prompt(request["prompt"])


def has_text_alone(messages: list[dict[str, Any]]) -> bool:
    """Images and sounds are not in the prompt's tokens."""
    contents = (message.get("content") for message in messages)
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return all(part.get("type") == "text" for part in parts)


def is_one_prompt(prompt: Any) -> bool:
    """A text or a list of token ids, or a list of one of them."""
    return isinstance(prompt, str) or len(prompt) == 1 or isinstance(prompt[0], int)


class Detokenizer(Protocol):
    """What is used of vLLM's IncrementalDetokenizer."""

    def update(self, new_token_ids: list[int], stop_terminated: bool) -> str | None:
        """Take tokens; the stop string that they complete, if any."""

    def get_next_output_text(self, finished: bool, delta: bool) -> str:
        """The text since the last call that no stop string can take back any more."""


class Continuation:
    """The rest of one answer, in the form of its beginning: the same id, no second role, all tokens in its usage.

    `detokenizer` is that of the first request before its first token. `limit` is the most tokens that the whole
    answer may have, those of its beginning included.
    """

    def __init__(
        self, method: str, request: dict[str, Any], progress: Progress, detokenizer: Detokenizer, limit: int
    ) -> None:
        self._method = method
        self._request = request
        self._opening = progress.opening
        self._kept = list(progress.token_ids)
        self._characters = progress.characters
        self._detokenizer = detokenizer
        self._limit = limit
        self._text = ""  # not sent yet
        self._token_ids: list[int] = []  # not sent yet
        self._completed = len(self._kept)

    async def events(self, complete: Complete) -> AsyncGenerator[Event]:
        """The events that the caller does not have, the last of them with the finish reason, usage and `[DONE]`.

        Raises:
            BadRequestError: the progress does not fit the request.
            APIStatusError: the engine failed.
        """
        await asyncio.to_thread(self._replay)  # about 3 us a token, so up to 0.1 s for the longest answers
        if self._completed >= self._limit:
            self._text += self._detokenizer.get_next_output_text(True, True)
            yield self._last("length", None)
            return
        async with aclosing(complete(self._rest())) as lines:
            async for line in lines:
                event, is_last = self._continued(line)
                if event is not None:
                    yield event
                if is_last:
                    return

    def _replay(self) -> None:
        self._detokenizer.update(self._kept, False)
        text = self._detokenizer.get_next_output_text(False, True)
        if len(text) < self._characters:
            raise BadRequestError(
                f"progress.characters: got {self._characters}, and its {len(self._kept)} tokens make {len(text)}; "
                "only a replica of the same version can continue an answer",
                param="progress.characters",
            )
        self._text = text[self._characters :]

    def _rest(self) -> dict[str, Any]:
        """The completions request. Stop strings are found here, in the whole text, and not by the engine."""
        kept = len(self._kept)
        rest = {field: value for field, value in self._request.items() if field in SAMPLING}
        if (seed := self._request.get("seed")) is not None:
            rest["seed"] = seed ^ kept  # the same one would draw the random numbers of the beginning again
        return rest | {
            "prompt": [*self._opening.prompt_token_ids, *self._kept],
            "max_tokens": self._limit - kept,
            "min_tokens": max(0, (self._request.get("min_tokens") or 0) - kept),
            "return_token_ids": True,
            "stream": True,
        }

    def _continued(self, line: str) -> tuple[Event | None, bool]:
        """What a chunk of the engine adds, and whether it ends the answer."""
        chunk = parsed(line)
        if "error" in chunk:
            raise failure(chunk["error"])
        [choice] = chunk["choices"]
        reason, stop = choice["finish_reason"], choice.get("stop_reason")
        if (stop_string := self._take(choice["token_ids"], reason == "stop")) is not None:
            reason, stop = "stop", stop_string
        self._text += self._detokenizer.get_next_output_text(reason is not None, True)
        if reason is not None:
            return self._last(reason, stop), True
        return (self._event(self._chunk()) if self._text else None), False

    def _take(self, token_ids: list[int], is_stopped: bool) -> str | None:
        """One by one, since a stop string ends the answer with the token that completes it."""
        for index, token_id in enumerate(token_ids, start=1):
            self._token_ids.append(token_id)
            self._completed += 1
            stop_string = self._detokenizer.update([token_id], is_stopped and index == len(token_ids))
            if stop_string is not None:
                return stop_string
        return None

    def _last(self, reason: str, stop: int | str | None) -> Event:
        data = self._chunk(finish_reason=reason, stop_reason=stop)
        if self._stream_option("include_usage"):
            data += sent(self._frame([]) | {"usage": self._usage()})
        return self._event(data + DONE.encode())

    def _event(self, data: bytes) -> Event:
        event = Event(data, self._token_ids, len(self._text))
        self._token_ids, self._text = [], ""
        return event

    def _chunk(self, **end: Any) -> bytes:
        added = {"delta": {"content": self._text}} if self._method == "chat" else {"text": self._text}
        choice = {"index": 0, **added, "logprobs": None, "finish_reason": None, **end}
        if self._request.get("return_token_ids"):
            choice["token_ids"] = self._token_ids
        frame = self._frame([choice])
        if self._stream_option("include_usage") and self._stream_option("continuous_usage_stats"):
            frame["usage"] = self._usage()
        return sent(frame)

    def _frame(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._opening.id,
            "object": "chat.completion.chunk" if self._method == "chat" else "text_completion",
            "created": self._opening.created,
            "model": self._request["model"],
            "choices": choices,
        }

    def _usage(self) -> dict[str, int]:
        prompt = len(self._opening.prompt_token_ids)
        return {
            "prompt_tokens": prompt,
            "total_tokens": prompt + self._completed,
            "completion_tokens": self._completed,
        }

    def _stream_option(self, name: str) -> bool:
        return bool((self._request.get("stream_options") or {}).get(name))
