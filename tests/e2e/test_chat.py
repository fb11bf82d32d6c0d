"""The same question by every door."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import openai
import pytest

from autoglm import AutoClient
from tests.e2e.running_cluster import Cluster

QUESTION = "Name the capital of France."
MESSAGES: list[Any] = [{"role": "user", "content": QUESTION}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def openai_client(cluster: Cluster) -> openai.OpenAI:
    """The openai package, told nothing but URL and key."""
    return openai.OpenAI(api_key=cluster.key, base_url=f"{cluster.url}/v1", timeout=120)


def test_curl_gets_paris(cluster: Cluster) -> None:
    """The command of the README, with curl's own defaults."""
    body = '{"model": "chat", "temperature": 0, "messages": [{"role": "user", "content": "' + QUESTION + '"}]}'
    headers = [f"Authorization: Bearer {cluster.key}", "Content-Type: application/json"]
    command = ["curl", "-sS", f"{cluster.url}/v1/chat/completions", "-d", body]
    for header in headers:
        command += ["-H", header]
    assert "Paris" in subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_client_gets_paris_whole_and_streamed(client: AutoClient) -> None:
    """The SDK's text is the same whether it comes whole or in chunks."""
    whole = str(client.chat(QUESTION, temperature=0))
    with client.chat(QUESTION, stream=True, temperature=0) as chunks:
        streamed = "".join(map(str, chunks))
    assert "Paris" in whole
    assert streamed == whole


def test_command_line_gets_paris(cluster: Cluster) -> None:
    """`autoglm chat` finds key and URL by itself."""
    command = [str(Path(sys.executable).with_name("autoglm")), "chat", QUESTION, "--temperature", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=cluster.environment(), check=True)
    assert "Paris" in done.stdout


def test_stream_arrives_token_by_token(client: AutoClient) -> None:
    """The first token comes well before the last, so nothing on the way holds the stream back."""
    start = time.perf_counter()
    with client.chat("Count from one to fifty.", stream=True, temperature=0, max_tokens=64) as chunks:
        arrivals = [time.perf_counter() - start for chunk in chunks if str(chunk)]
    assert len(arrivals) > 16
    assert arrivals[0] < arrivals[-1] / 2


def test_openai_package_chats_whole_and_streamed(openai_client: openai.OpenAI) -> None:
    """The openai package sees its own shapes."""
    whole = openai_client.chat.completions.create(model="chat", messages=MESSAGES, temperature=0)
    stream = openai_client.chat.completions.create(
        model="chat", messages=MESSAGES, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    streamed = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert "Paris" in streamed == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


def test_openai_package_completes_embeds_and_lists(openai_client: openai.OpenAI) -> None:
    """The other paths that the openai package knows."""
    completion = openai_client.completions.create(model="chat", prompt="The capital of France is", temperature=0)
    assert "Paris" in completion.choices[0].text
    vectors = openai_client.embeddings.create(model="embed", input=["a film", "a movie"]).data
    assert [len(vector.embedding) for vector in vectors] == [384, 384]
    assert {model.id for model in openai_client.models.list()} == {"chat", "embed", "sentiment", "image", "iris"}
    assert openai_client.models.retrieve("chat").id == "chat"


def test_openai_package_gets_json_of_a_schema(openai_client: openai.OpenAI) -> None:
    """`response_format` json_schema binds even a small model to the form."""
    schema = {"type": "object", "properties": {"capital": {"enum": ["Paris", "Rome"]}}, "required": ["capital"]}
    answer = openai_client.chat.completions.create(
        model="chat",
        messages=MESSAGES,
        temperature=0,
        response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
    )
    content = answer.choices[0].message.content
    assert content is not None
    assert content.replace(" ", "").replace("\n", "") == '{"capital":"Paris"}'


def test_openai_package_gets_a_tool_call(openai_client: openai.OpenAI) -> None:
    """A required tool is called with arguments of its schema."""
    answer = openai_client.chat.completions.create(
        model="chat",
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        temperature=0,
        max_tokens=100,
        tools=[WEATHER],
        tool_choice="required",
    )
    calls = answer.choices[0].message.tool_calls
    assert calls
    assert calls[0].function.name == "weather"  # type: ignore[union-attr]
    assert "paris" in calls[0].function.arguments.lower()  # type: ignore[union-attr]


def test_error_has_openai_shape(openai_client: openai.OpenAI) -> None:
    """The openai package raises its own class, with our request id."""
    with pytest.raises(openai.NotFoundError) as caught:
        openai_client.chat.completions.create(model="chatt", messages=MESSAGES)
    assert caught.value.param == "model"
    assert caught.value.request_id
