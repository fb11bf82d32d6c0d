"""BFCL's judgement of calls, and its archive."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from benchmarks.planning.bfcl.case import Archive, Case, schema
from benchmarks.planning.bfcl.check import calls_right, functions_right

PLAY = {"artist": ["Taylor Swift"], "minutes": [20, 20.0], "service": ["", "Spotify"]}
CASE = Case("parallel_0", "parallel", "?", (), ({"play": PLAY}, {"play": {**PLAY, "artist": ["Maroon 5"]}}))


@pytest.mark.parametrize(
    ("first", "is_right"),
    [
        ({"artist": "taylor-swift", "minutes": 20}, True),
        ({"artist": "Taylor Swift", "minutes": 20, "service": "spotify"}, True),
        ({"artist": "Taylor Swift", "minutes": 21}, False),
        ({"artist": "Taylor Swift"}, False),
        ({"artist": "Taylor Swift", "minutes": 20, "loud": True}, False),
        ({"artist": "Maroon 5", "minutes": 20}, False),
        ({"artist": "Taylor Swift", "minutes": True}, False),
    ],
)
def test_calls_are_right_in_any_order_and_with_every_argument(first: dict[str, Any], is_right: bool) -> None:
    """An argument may be left out where the answers say so, and none may be made up."""
    made = [("play", {"artist": "Maroon 5", "minutes": 20}), ("play", first)]
    assert calls_right(CASE, made) is is_right
    assert functions_right(CASE, made)
    assert not functions_right(CASE, made[:1])


def test_no_call_is_right_where_none_fits() -> None:
    """Of `irrelevance` every call is wrong."""
    case = Case("irrelevance_0", "irrelevance", "?", ())
    assert calls_right(case, [])
    assert not calls_right(case, [("play", {})])


def test_the_archive_is_read_as_it_is_published(tmp_path: Path) -> None:
    """Without installing it; its types become those of JSON Schema."""
    function = {"name": "f", "description": "", "parameters": {"type": "dict", "properties": {"x": {"type": "float"}}}}
    question = {"id": "multiple_0", "question": [[{"role": "user", "content": "x?"}]], "function": [function]}
    wheel = tmp_path / "bfcl.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("bfcl_eval/data/BFCL_v4_multiple.json", json.dumps(question) + "\n")
        gold = {"id": "multiple_0", "ground_truth": [{"f": {"x": [1]}}]}
        archive.writestr("bfcl_eval/data/possible_answer/BFCL_v4_multiple.json", json.dumps(gold) + "\n")
    (case,) = Archive(wheel).sample("multiple", 5, seed=1)
    assert (case.question, case.gold) == ("x?", ({"f": {"x": [1]}},))
    assert case.tools[0].parameters == {"type": "object", "properties": {"x": {"type": "number"}}}
    assert schema({"type": "any", "optional": True}) == {}
