"""The predictor over a fake adapter, under Serve's real batching."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray import serve
from sklearn.datasets import load_diabetes

from autoglm.contract import TaskConfig
from autoglm.errors import DeadlineExceededError, UnprocessableEntityError, UpstreamError
from autoglm.tasks import AutoTask
from autoglm.tasks.saved import fitted_in
from cluster.control.verification import verified
from deployments.predictor import Predictor, scheduler

# Serve keeps one queue for the decorated method, bound to the loop that first used it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

TASK = {"task": "text-classification", "model": "embedded/fake"}


class Odd:
    """An input that no adapter expects."""


class DoublingAdapter:
    """Doubles numbers, and remembers the batches in which they came."""

    labels = None
    pass_tokens = None

    def __init__(self, config: TaskConfig) -> None:
        self.config = config
        self.batches: list[list[int]] = []
        self.fault: Exception | None = None
        self.unlucky: int | None = None
        self.computing, self.go = threading.Event(), threading.Event()
        self.go.set()
        self.now = 100.0  # on the predictor's clock

    def parse(self, item: Any, index: int) -> int:
        if isinstance(item, Odd):
            raise LookupError("a library's own")
        if not isinstance(item, int):
            raise UnprocessableEntityError(f"inputs[{index}]: got {item!r}", param=f"inputs[{index}]")
        return item

    def predict(self, parsed: Sequence[int]) -> list[int]:
        self.batches.append(list(parsed))
        self.computing.set()
        assert self.go.wait(10)
        if self.fault is not None:
            raise self.fault
        if self.unlucky in parsed:
            raise ValueError("unlucky")
        return [2 * item for item in parsed]

    def tokens(self, parsed: int) -> int:
        return parsed


Start = Callable[[int], Any]


@pytest.fixture(autouse=True)
def outside_a_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Serve would tell of the replica."""
    context = SimpleNamespace(_deployment_config=SimpleNamespace(max_ongoing_requests=1000))
    monkeypatch.setattr(serve, "get_replica_context", lambda: context)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # put back after the predictor has set it


@pytest.fixture
def start() -> Start:
    """Starts a predictor of a batch size; returns it with its adapter."""
    adapters: list[DoublingAdapter] = []

    def load(config: TaskConfig, fitted: Path | None) -> DoublingAdapter:
        adapters.append(DoublingAdapter(config))
        return adapters[-1]

    async def start(max_batch_size: int) -> tuple[Predictor, DoublingAdapter]:
        predictor = Predictor(TASK, load=load, clock=lambda: adapters[-1].now)
        await predictor.reconfigure(batching(max_batch_size))
        return predictor, adapters[-1]

    return start


def batching(max_batch_size: int) -> dict[str, Any]:
    return {"max_batch_size": max_batch_size, "batch_wait_timeout_s": 0}


async def test_the_requests_of_one_call_share_a_batch_and_get_their_own_answers(start: Start) -> None:
    """Inputs are computed together and handed back apart, each with what it counts for."""
    predictor, adapter = await start(8)
    outcomes = await predictor.predict([([1, 2], None), ([3], None), ([4, 5], None)])
    assert outcomes == [
        {"outputs": [2, 4], "tokens": 3},
        {"outputs": [6], "tokens": 3},
        {"outputs": [8, 10], "tokens": 9},
    ]
    assert adapter.batches == [[1, 2, 3, 4, 5]]
    assert adapter.config.task == "text-classification"


async def test_bad_input_fails_its_own_request_alone(start: Start) -> None:
    """Its neighbours in the same call are answered, and it is not computed."""
    predictor, adapter = await start(8)
    good, bad = await predictor.predict([([1], None), ([2, "three"], None)])
    assert good == {"outputs": [2], "tokens": 1}
    assert isinstance(bad, UnprocessableEntityError)
    assert bad.param == "inputs[1]"
    assert adapter.batches == [[1]]


async def test_a_failure_of_the_model_is_an_error_of_the_tree(start: Start) -> None:
    """Its own exception would have the caller import the model's library to unpickle it."""
    predictor, adapter = await start(8)
    adapter.fault = ValueError("a path and a value")
    [outcome] = await predictor.predict([([1], None)])
    assert isinstance(outcome, UpstreamError)
    assert str(outcome) == "embedded/fake failed: ValueError; the replica's log has it"


async def test_a_failure_of_the_model_is_of_the_requests_that_were_computed_with_it(start: Start) -> None:
    """Those of another pass have their answers, though they came in the same call."""
    predictor, adapter = await start(1)
    adapter.unlucky = 13
    good, bad = await predictor.predict([([1], None), ([13], None)])
    assert good == {"outputs": [2], "tokens": 1}
    assert isinstance(bad, UpstreamError)


async def test_a_fault_while_decoding_is_of_its_own_request_too(start: Start) -> None:
    """Whatever a library raises for an odd input, its neighbours are answered."""
    predictor, _ = await start(8)
    good, bad = await predictor.predict([([1], None), ([Odd()], None)])
    assert good == {"outputs": [2], "tokens": 1}
    assert isinstance(bad, UpstreamError)


async def test_what_is_past_its_deadline_is_neither_decoded_nor_computed(start: Start) -> None:
    """It is told of by an error of its own; who has time left is answered."""
    predictor, adapter = await start(8)
    late, in_time, unbounded = await predictor.predict([([Odd()], 0.0), ([2], 60.0), ([3], None)])
    assert isinstance(late, DeadlineExceededError)
    assert [in_time, unbounded] == [{"outputs": [4], "tokens": 2}, {"outputs": [6], "tokens": 3}]
    assert adapter.batches == [[2, 3]]


async def test_a_deadline_that_passes_while_the_model_is_busy_is_kept(start: Start) -> None:
    """The seconds that a request brings are counted from when it came."""
    predictor, adapter = await start(1)
    adapter.go.clear()
    busy = asyncio.create_task(predictor.predict([([1], None)]))
    await asyncio.to_thread(adapter.computing.wait, 10)
    late = asyncio.create_task(predictor.predict([([2], 5.0)]))
    await predictor.predict([([], None)])  # decoded after it, so it waits for the model by now
    adapter.now += 5.0
    adapter.go.set()
    [outcome] = await late
    assert isinstance(outcome, DeadlineExceededError)
    assert await busy == [{"outputs": [2], "tokens": 1}]
    assert adapter.batches == [[1]]


async def test_a_call_that_was_cancelled_is_not_computed(start: Start) -> None:
    """The router cancels it when all of its callers have gone."""
    predictor, adapter = await start(1)
    adapter.go.clear()
    busy = asyncio.create_task(predictor.predict([([1], None)]))
    await asyncio.to_thread(adapter.computing.wait, 10)
    gone = asyncio.create_task(predictor.predict([([2], None)]))
    await predictor.predict([([], None)])  # decoded after it
    for _ in range(100):  # on to the end of the scheduler's queue
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    adapter.go.set()
    await busy
    await predictor.predict([([3], None)])
    assert adapter.batches == [[1], [3]]


async def test_a_request_of_more_inputs_than_a_batch_is_answered_in_order(start: Start) -> None:
    """A batch is measured by its inputs, so no computation is larger than was declared."""
    predictor, adapter = await start(3)
    (outcome,) = await predictor.predict([(list(range(10)), None)])
    assert outcome["outputs"] == [2 * item for item in range(10)]
    assert max(map(len, adapter.batches)) == 3


async def test_the_batch_size_changes_while_requests_come(start: Start) -> None:
    """Lower or higher, at whatever moment: it harms nothing that was cut to the one before."""
    predictor, _ = await start(4)
    requests = [asyncio.create_task(predictor.predict([([1, 2, 3, 4], None)])) for _ in range(50)]
    sizes = itertools.cycle([4, 2, 2])
    while not all(request.done() for request in requests):
        await predictor.reconfigure(batching(next(sizes)))
        await asyncio.sleep(0)
    for request in requests:
        assert (await request)[0]["outputs"] == [2, 4, 6, 8]


async def test_a_new_batch_size_holds_for_what_comes_next(start: Start) -> None:
    """Without a restart, in both directions."""
    predictor, adapter = await start(2)
    for size in (4, 1):
        await predictor.reconfigure(batching(size))
        await predictor.predict([(list(range(8)), None)])
        assert max(map(len, adapter.batches)) == size
        adapter.batches.clear()


async def test_a_replica_computes_with_every_core(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray gives a replica of a tenth of a CPU one thread; the models share the machine by turns instead."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2})
    await start(1)
    assert os.environ["OMP_NUM_THREADS"] == "3"


TEXTS = ["a wonderful film", "the invoice is overdue", "a great cast and a moving story", "please pay by Friday"]


async def answers(folder: Path, inputs: list[Any]) -> list[Any]:
    """A replica's, from a saved folder alone, declared as the control plane does it."""
    task = verified(folder).declaration.model_dump(exclude_unset=True, exclude={"batching"})
    assert "data" not in task
    predictor = Predictor(task, str(fitted_in(folder)))
    await predictor.reconfigure(batching(32))
    [outcome] = await predictor.predict([(inputs, None)])
    outputs: list[Any] = outcome["outputs"]
    return outputs


async def test_a_regression_fitted_elsewhere_tells_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit."""
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path / "home"))
    task = AutoTask.from_config({"task": "tabular-regression", "data": {"train": "embedded/diabetes"}})
    rows = load_diabetes().data[:32].tolist()
    found = await answers(task.save(tmp_path / "task"), rows)
    assert [answer.value for answer in found] == [answer.value for answer in task.predict(rows)]


async def test_a_text_task_fitted_elsewhere_tells_the_same_labels_and_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit in one pass as here, although the training data are gone; in several, to their rounding."""
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path / "home"))
    train = tmp_path / "t.csv"
    train.write_text("text,label\n" + "".join(f"{text},{'fm'[i % 2]}\n" for i, text in enumerate(TEXTS)))
    declared = {"task": "text-classification", "model": "embedded/minilm-l6", "data": {"train": str(train)}}
    task = AutoTask.from_config(declared)
    folder, expected = task.save(tmp_path / "task"), task.predict(TEXTS)
    train.unlink()
    told = await answers(folder, TEXTS)
    assert [answer.label for answer in told] == [answer.label for answer in expected]
    assert [answer.scores for answer in told] == [pytest.approx(answer.scores, abs=1e-5) for answer in expected]
    assert {answer.label for answer in expected} == {"f", "m"}
    monkeypatch.setattr(scheduler, "cores", lambda: 1)
    monkeypatch.setattr(scheduler, "use_threads", lambda count: None)
    assert await answers(folder, TEXTS) == expected
