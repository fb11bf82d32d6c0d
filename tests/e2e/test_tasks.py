"""Instructions on the default cluster, by HTTP: planned, run by the embedded tools and tasks, answered."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx
import pytest

REVIEWS = (
    "Classify the sentiment of these three reviews and tell me the share of positive ones: "
    '"A wonderful film, moving from start to end.", "A dull, lifeless mess.", "The best acting of the year."'
)
ENDED = {"planned", "succeeded", "failed", "cancelled"}


def run(http: httpx.Client, instruction: str, **request: Any) -> dict[str, Any]:
    """The run of an instruction, as it ended."""
    response = http.post("/v1/tasks", json={"instruction": instruction, **request})
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    assert told["status"] == "succeeded", told
    return told


def ended(http: httpx.Client, run_id: str) -> dict[str, Any]:
    """A run of the background once it has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told: dict[str, Any] = http.get(f"/v1/tasks/{run_id}").json()
        if told["status"] in ENDED:
            return told
        time.sleep(0.2)
    pytest.fail(f"{run_id} did not end: {told}")


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        ("What is 17 * 23 plus the number of days between 2024-02-01 and 2024-03-15?", r"\b434\b"),
        ("What time is it in Tokyo when it is 9:00 in Berlin on 2026-03-29?", r"\b16:00\b"),
        ("17 乘以 23 等于多少", r"\b391\b"),
    ],
)
def test_an_instruction_becomes_its_answer(http: httpx.Client, instruction: str, answer: str) -> None:
    """Berlin is on summer time that day; the third is Chinese."""
    told = run(http, instruction)
    assert re.search(answer, told["answer"]), told["answer"]


def test_reviews_are_classified_beside_each_other_and_their_share_is_told(http: httpx.Client) -> None:
    """By the declared task, a step for each review."""
    told = run(http, REVIEWS)
    reviews = [step for step in told["steps"] if step["kind"] == "task"]
    assert len(reviews) == 3
    assert max(step["started"] for step in reviews) < min(step["finished"] for step in reviews)
    assert re.search(r"2/3|66\.?6?|67", told["answer"]), told["answer"]
    assert told["usage"]["prompt_tokens"] > 0


def test_what_no_tool_can_do_is_refused(http: httpx.Client) -> None:
    """Plainly, with a 4xx; no answer is invented."""
    response = http.post("/v1/tasks", json={"instruction": "Book me a flight to Rome tomorrow."})
    assert response.status_code == 422, response.text
    assert response.json()["error"]["code"] == "unprocessable"


def test_a_run_is_streamed_as_it_goes(http: httpx.Client) -> None:
    """Its plan first, each step, and its answer last, numbered."""
    body = {"instruction": "What is 17 * 23?", "stream": True}
    with http.stream("POST", "/v1/tasks", json=body) as response:
        blocks = [block for block in "".join(response.iter_text()).split("\n\n") if block.startswith("id:")]
    events = [json.loads(block.partition("data: ")[2]) for block in blocks]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["type"], events[-1]["type"]) == ("plan", "answer")
    assert "391" in events[-1]["run"]["answer"]


def test_a_background_run_goes_on_by_itself_and_its_events_are_kept(http: httpx.Client) -> None:
    """Begun once for a key, however often it is sent."""
    body = {"instruction": "What is 17 * 23?", "background": True}
    headers = {"idempotency-key": "tasks-once"}
    begun = [http.post("/v1/tasks", json=body, headers=headers) for _ in range(2)]
    assert [response.status_code for response in begun] == [202, 202]
    [run_id] = {response.json()["id"] for response in begun}
    assert "391" in ended(http, run_id)["answer"]
    assert "event: answer" in http.get(f"/v1/tasks/{run_id}/events").text


def test_a_run_waits_for_a_person(http: httpx.Client) -> None:
    """Nothing is called before the plan is approved."""
    response = http.post("/v1/tasks", json={"instruction": "What is 17 * 23?", "approve": True})
    assert (response.status_code, response.json()["waiting_for"]) == (202, "plan")
    run_id = response.json()["id"]
    assert http.post(f"/v1/tasks/{run_id}/approve", json={}).status_code == 200
    assert "391" in ended(http, run_id)["answer"]


def test_tools_are_listed_and_called(http: httpx.Client) -> None:
    """Those that the local key's tenant is granted."""
    assert "calculate" in [card["name"] for card in http.get("/v1/tools").json()["data"]]
    response = http.post("/v1/tools/calculate", json={"arguments": {"expression": "17 * 23"}})
    assert response.json()["result"] == {"value": 391}
