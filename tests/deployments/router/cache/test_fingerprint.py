"""What is one request and what is two."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.router.cache import fingerprint, is_deterministic

FIELDS = {"tenant": "a", "name": "chat", "version": "v1", "lane": "stable", "permissions": "7"}


def digest(payload: dict[str, Any], **fields: str) -> bytes:
    return fingerprint(**(FIELDS | fields), payload=payload)


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_each_field_makes_another_request_of_it(field: str) -> None:
    """A new version, lane or epoch of permissions invalidates by itself, and no tenant sees another's."""
    assert digest({"x": 1}, **{field: "other"}) != digest({"x": 1})


def test_text_moved_between_fields_is_another_request() -> None:
    """The lengths are part of it: joined texts alone would be the same."""
    moved = [{"tenant": "a", "name": "bc"}, {"tenant": "ab", "name": "c"}, {"tenant": "abc", "name": ""}]
    assert len({digest({}, **fields) for fields in moved}) == 3


def test_the_order_of_fields_does_not_matter_at_any_depth() -> None:
    """Clients write the same object in different orders."""
    assert digest({"a": {"x": 1, "y": [2]}, "b": 3}) == digest({"b": 3, "a": {"y": [2], "x": 1}})


@pytest.mark.parametrize(
    "values",
    [
        [1, 1.0, True, "1", [1], None],
        [None, float("nan"), float("inf"), float("-inf"), "null", "NaN"],
        [2**70, str(2**70), float(2**70)],
        ["\ud83d\ude00", "\N{GRINNING FACE}", "\\ud83d\\ude00"],
        ["\N{LATIN SMALL LETTER E WITH ACUTE}", "e\N{COMBINING ACUTE ACCENT}"],
        [[["a"], "b"], [["a", "b"]], ["a", ["b"]]],
    ],
)
def test_values_that_are_not_the_same_are_other_requests(values: list[Any]) -> None:
    """Python's equality, orjson's null for NaN and JSON's escapes must not make one answer serve two inputs."""
    assert len({digest({"inputs": [value, 2**70]}) for value in values}) == len(values)
    assert len({digest({"inputs": [value]}) for value in values}) == len(values)


def test_what_does_not_change_the_answer_is_left_out_and_what_changes_the_events_is_not() -> None:
    """Who asks, and for what, does not matter; a stream's record is no whole answer."""
    plain = digest({"prompt": "x"})
    unseen = {"user": "u", "metadata": {"a": "b"}, "store": True, "service_tier": "flex", "priority": 3}
    assert digest({"prompt": "x", "stream": False, "seed": None} | unseen) == plain
    assert digest({"prompt": "x", "stream": True}) != plain
    assert digest({"prompt": "x", "stream": True, "stream_options": {"continuous_usage_stats": True}}) != digest(
        {"prompt": "x", "stream": True}
    )


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, False),
        ({"temperature": None}, False),
        ({"temperature": 0}, True),
        ({"temperature": 0.0}, True),
        ({"temperature": 1e-9}, False),
        ({"temperature": 1, "top_k": 1}, True),
        ({"temperature": 0.7, "top_k": 0}, False),
        ({"temperature": 0.7, "seed": 1}, False),
    ],
)
def test_only_greedy_generation_is_deterministic(payload: dict[str, Any], expected: bool) -> None:
    """Nobody who asks for a sample gets yesterday's."""
    assert is_deterministic(payload) is expected
