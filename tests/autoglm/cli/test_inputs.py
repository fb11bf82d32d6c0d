"""What `autoglm predict` and `autoglm embed` make of words, files and pipes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Run = Callable[..., Any]


def predicted(request: Any) -> None:
    found = [{"label": "yes", "score": 0.75} for _ in request.sent["inputs"]]
    request.answer({"task": request.sent["task"], "model": "m", "version": "v1", "predictions": found})


def embedded(request: Any) -> None:
    row = base64.b64encode(np.arange(8, dtype="<f4").tobytes()).decode()
    data = [{"index": index, "embedding": row} for index, _ in enumerate(request.sent["input"])]
    request.answer({"data": data, "model": "embed"})


@pytest.fixture(autouse=True)
def replies(server: Any) -> None:
    server.replies |= {"/v1/predict": predicted, "/v1/embeddings": embedded}


def test_words_are_texts_rows_or_files(run: Run, server: Any, tmp_path: Path) -> None:
    """One command mixes what a task may take; a bracket that opens no JSON is text."""
    image = tmp_path / "cat.jpg"
    image.write_bytes(b"\xff\xd8\x00")
    result = run("predict", "t", "a film", "[5.1, 3]", f"@{image}", "[sic] text")
    assert server.requests[0].sent == {"task": "t", "inputs": ["a film", [5.1, 3], "/9gA", "[sic] text"]}
    assert result.stdout.count("0.7500") == 4
    assert "image, 3 bytes" in result.stdout


@pytest.mark.parametrize("words", [(), ("-",)])
def test_a_pipe_gives_one_input_a_line_and_no_files(run: Run, server: Any, words: tuple[str, ...]) -> None:
    """Data that is piped in cannot have a file of the user's sent."""
    result = run("predict", "t", *words, "--json", stdin="[1, 2]\r\n\n@/etc/hostname\na\u2028b")
    assert server.requests[0].sent["inputs"] == [[1, 2], "@/etc/hostname", "a\u2028b"]
    assert len(json.loads(result.stdout)["predictions"]) == 3


@pytest.mark.parametrize("words", [("@missing.jpg",), ()])
def test_an_input_that_is_not_there_is_a_wrong_usage(run: Run, server: Any, words: tuple[str, ...]) -> None:
    """Said before anything is sent."""
    result = run("predict", "t", *words)
    assert result.exit_code == 2
    assert server.requests == []


def test_vectors_are_shown_in_short_and_given_whole_as_json(run: Run, server: Any) -> None:
    """The terminal gets shape and beginning; texts stay texts, whatever they start with."""
    shown = run("embed", "@a", "[1]").stdout
    assert "2 x 8, float32" in shown
    assert "+5.0000 …" in shown
    answer = json.loads(run("embed", "@a", "[1]", "--json").stdout)
    assert answer == {"model": "embed", "shape": [2, 8], "embeddings": [list(range(8))] * 2}
    assert server.requests[0].sent["input"] == ["@a", "[1]"]
