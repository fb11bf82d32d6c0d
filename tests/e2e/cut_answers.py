"""Run beside the cluster: answers of the chat replica, cut after each of their events and continued.

Prints one line of JSON: how many cuts there were, and the answers that were not what they are undisturbed. The answers
are short and the model is sure of them: in bfloat16 a near tie between two words may fall either way when tokens that
were written one by one are read in one piece.
"""

from __future__ import annotations

import json
from typing import Any

import ray
from ray import serve

from deployments.stream import Event, Progress
from tests.answer_events import after, told

COMMON: dict[str, Any] = {
    "model": "chat",
    "temperature": 0,
    "stream": True,
    "stream_options": {"include_usage": True},
}
FRANCE = COMMON | {"messages": [{"role": "user", "content": "Name the capital of France."}]}
EMOJI = COMMON | {"prompt": "😀🎉你好" * 8, "max_tokens": 24}
COUNT = COMMON | {"prompt": "1, 2, 3, 4, 5,", "max_tokens": 12}
ANSWERS = [
    ("chat", FRANCE),
    ("chat", FRANCE | {"stop": "is Paris"}),
    ("chat", FRANCE | {"stop": ["is Par"], "include_stop_str_in_output": True, "return_token_ids": True}),
    ("completions", EMOJI),
    ("completions", COUNT),
]


def main() -> None:
    """All cuts of all answers."""
    ray.init(address="auto", log_to_driver=False)
    stream = serve.get_deployment_handle("llm", "model-chat-v1").options(stream=True).stream

    def events(method: str, request: dict[str, Any], progress: Progress | None = None) -> list[Event]:
        return list(stream.remote(method, request, None, progress))

    cuts, wrong = 0, list[Any]()
    for method, request in ANSWERS:
        whole = events(method, request)
        for cut in range(1, len(whole)):
            cuts += 1
            if told(whole[:cut] + events(method, request, after(whole[:cut]))) != told(whole):
                wrong.append([request, cut])
    print(json.dumps({"cuts": cuts, "wrong": wrong}))


if __name__ == "__main__":
    main()
