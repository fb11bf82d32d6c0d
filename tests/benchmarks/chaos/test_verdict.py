"""The checker, with doctored answers: a lab that cannot see a lost token proves nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autoglm.errors import CircuitOpenError, UpstreamError
from benchmarks.chaos.verdict import Reply, Verdict, judge
from benchmarks.mock_engine import expected

EXPECTED = expected({"messages": [{"role": "user", "content": "hi"}]})
WORDS = EXPECTED.split(" ")
ANSWER = Reply(status=200, text=EXPECTED, ends=1, is_closed=True)
ERROR = UpstreamError("the replica died", request_id="r1").body().model_dump(mode="json")


def without(first: int, last: int) -> str:
    return " ".join(WORDS[:first] + WORDS[last:])


def test_the_expected_answer_is_nothing_to_speak_of() -> None:
    """Else every count is noise."""
    assert judge(ANSWER, EXPECTED) == frozenset()


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (without(5, 6), {Verdict.LOST}),
        (without(0, 1), {Verdict.LOST}),
        (without(len(WORDS) - 2, len(WORDS) - 1), {Verdict.LOST}),
        ("", {Verdict.LOST}),
        (" ".join(WORDS[:6] + WORDS[5:]), {Verdict.DOUBLED}),
        (EXPECTED + EXPECTED, {Verdict.DOUBLED}),
        (" ".join([*WORDS[:4], WORDS[5], WORDS[4], *WORDS[6:]]), {Verdict.LOST}),
        (expected({"prompt": "another's"}), {Verdict.LOST, Verdict.DOUBLED}),
    ],
)
def test_a_hole_and_a_repetition_are_seen_wherever_they_are(text: str, verdict: set[Verdict]) -> None:
    """One word is enough, at either end and in the middle."""
    assert judge(replace(ANSWER, text=text), EXPECTED) == verdict


@pytest.mark.parametrize(
    ("doctored", "verdict"),
    [
        ({"is_closed": False}, {Verdict.LOST}),
        ({"ends": 0}, {Verdict.LOST}),
        ({"ends": 2}, {Verdict.DOUBLED}),
        ({"is_cut": True, "text": without(3, len(WORDS))}, {Verdict.CUT}),
        ({"is_cut": True, "text": without(3, 4)}, {Verdict.CUT, Verdict.LOST}),
    ],
)
def test_an_answer_has_one_end(doctored: dict[str, Any], verdict: set[Verdict]) -> None:
    """A text that is right by itself may still never have been finished, or twice."""
    assert judge(replace(ANSWER, **doctored), EXPECTED) == verdict


def test_a_documented_error_after_the_beginning_of_the_answer_is_no_loss() -> None:
    """That is how a stream ends that cannot go on; a hole before it stays one."""
    broken = Reply(status=200, text=" ".join(WORDS[:4]), error=ERROR)
    assert judge(broken, EXPECTED) == {Verdict.DOCUMENTED}
    assert judge(replace(broken, text=without(1, 2)), EXPECTED) == {Verdict.DOCUMENTED, Verdict.LOST}


@pytest.mark.parametrize(
    ("status", "error", "verdict"),
    [
        (502, ERROR, {Verdict.DOCUMENTED}),
        (503, CircuitOpenError("open", request_id="r").body().model_dump(), {Verdict.DOCUMENTED}),
        (503, ERROR, {Verdict.UNDOCUMENTED, Verdict.LOST}),
        (502, {"error": ERROR["error"] | {"request_id": None}}, {Verdict.UNDOCUMENTED, Verdict.LOST}),
        (502, {"error": ERROR["error"] | {"code": "oops"}}, {Verdict.UNDOCUMENTED, Verdict.LOST}),
        (500, None, {Verdict.UNDOCUMENTED, Verdict.LOST}),
        (503, "<html>", {Verdict.UNDOCUMENTED, Verdict.LOST}),
        (0, None, {Verdict.UNDOCUMENTED, Verdict.LOST}),
    ],
)
def test_only_the_documented_form_documents_an_error(status: int, error: Any, verdict: set[Verdict]) -> None:
    """The code belongs to its status, and the request can be found by its id."""
    assert judge(Reply(status=status, error=error), EXPECTED) == verdict
