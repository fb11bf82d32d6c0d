"""A real nginx and a real HAProxy, with the shipped files, in front of two clusters on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from serve_app.http import MAX_BODY_BYTES
from tests.cluster.manifests.fronts import MANIFESTS, Cluster, clusters, eventually, haproxy, nginx, states
from tests.cluster.manifests.router_process import KEY

PREDICT = {"task": "sentiment", "inputs": ["a wonderful film"]}
CHAT = {"model": "chat", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def both() -> Iterator[dict[str, Cluster]]:
    with clusters(a="", b="") as started:
        yield started


@pytest.fixture(params=[nginx, haproxy])
async def client(
    request: pytest.FixtureRequest, both: dict[str, Cluster], tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """Of the front."""
    with request.param(both, tmp_path) as url:
        async with caller(url) as client:
            yield client


def caller(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {KEY}"}, timeout=30)


def is_lost(outcome: httpx.Response | BaseException) -> bool:
    """Whether no cluster answered: by a 502; HAProxy closes a connection that was kept alive."""
    if isinstance(outcome, BaseException):
        return isinstance(outcome, httpx.RemoteProtocolError)
    return (outcome.status_code, outcome.headers.get("x-cluster")) == (502, None)


async def predict(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await client.post("/v1/predict", json=PREDICT, headers=headers)


async def test_no_request_fails_when_a_cluster_is_killed_under_traffic(
    client: httpx.AsyncClient, both: dict[str, Cluster]
) -> None:
    """Eight callers, each with one request after the other, over connections that the dead cluster leaves behind."""
    answers: list[httpx.Response] = []

    async def call() -> None:
        for _ in range(40):
            answers.append(await predict(client))
            if len(answers) == 120:
                both["a"].kill()

    await asyncio.gather(*(call() for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["x-cluster"] for answer in answers[:120]} == {"a", "b"}
    assert {answer.headers["x-cluster"] for answer in answers[-100:]} == {"b"}


async def test_a_request_that_a_cluster_dies_over_is_answered_by_another(
    client: httpx.AsyncClient, both: dict[str, Cluster]
) -> None:
    """It was sent, and read; as it changes nothing, it may be done again."""
    calls = [asyncio.create_task(predict(client, **{"x-hold": "a"})) for _ in range(8)]
    assert await asyncio.to_thread(both["a"].says) == "held"
    both["a"].kill()
    answers = await asyncio.gather(*calls)
    assert {(answer.status_code, answer.headers.get("x-cluster")) for answer in answers} == {(200, "b")}


async def test_an_instruction_that_a_cluster_dies_over_is_not_done_again(
    client: httpx.AsyncClient, both: dict[str, Cluster]
) -> None:
    """Nobody knows how far it came. The client's next goes where the cluster still lives."""
    owner = (await client.post("/v1/tasks", json={})).headers["x-cluster"]
    call = asyncio.create_task(client.post("/v1/tasks", json={}, headers={"x-hold": owner}))
    assert await asyncio.to_thread(both[owner].says) == "held"
    both[owner].kill()
    assert is_lost(*await asyncio.gather(call, return_exceptions=True))
    [other] = both.keys() - {owner}
    assert (await client.post("/v1/tasks", json={})).headers["x-cluster"] == other


async def test_a_tools_call_that_a_cluster_dies_over_is_not_done_again(
    client: httpx.AsyncClient, both: dict[str, Cluster]
) -> None:
    """It may have acted too. The cluster that lives answers its own."""
    calls = [asyncio.create_task(client.post("/v1/tools/clock", json={}, headers={"x-hold": "a"})) for _ in range(8)]
    assert await asyncio.to_thread(both["a"].says) == "held"
    both["a"].kill()
    assert any(is_lost(outcome) for outcome in await asyncio.gather(*calls, return_exceptions=True))


async def test_a_client_keeps_its_cluster_for_instructions(client: httpx.AsyncClient, both: dict[str, Cluster]) -> None:
    """Where one runs it is asked for; predictions go to whoever has time."""
    asked = [(await client.get("/v1/tasks/7")).headers["x-cluster"] for _ in range(8)]
    answered = [(await predict(client)).headers["x-cluster"] for _ in range(8)]
    assert (len(set(asked)), len(set(answered))) == (1, 2)


async def test_an_event_is_passed_on_when_it_comes(client: httpx.AsyncClient, both: dict[str, Cluster]) -> None:
    """The first before there is a second, and the second though none ever follows."""
    async with client.stream("POST", "/v1/chat/completions", json=CHAT) as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == "data: 1"
        port = both[answer.headers["x-cluster"]].port
        async with caller(f"http://127.0.0.1:{port}") as direct:
            await direct.get("/health", headers={"x-release": "yes"})
        assert [await anext(lines), await anext(lines)] == ["", "data: 2"]


async def test_the_id_and_the_clients_address_reach_the_cluster(
    client: httpx.AsyncClient, both: dict[str, Cluster]
) -> None:
    """The caller's own id, or one made by the front; its address is the last that is named."""
    given = await predict(client, **{"x-request-id": "mine", "x-forwarded-for": "203.0.113.9"})
    made = await predict(client)
    assert given.headers["x-seen"] == "mine 203.0.113.9, 127.0.0.1"
    assert made.headers["x-seen"].split(" ", 1)[0] not in ("None", "mine")


async def test_a_model_that_is_down_everywhere_takes_no_other_with_it(
    client: httpx.AsyncClient, both: dict[str, Cluster]
) -> None:
    """Its 503 is no word on the cluster, which answers for the others."""
    down = [await client.post("/v1/predict", json=PREDICT | {"task": "down"}) for _ in range(20)]
    assert {answer.status_code for answer in down} == {503}
    assert {(await predict(client)).status_code for _ in range(8)} == {200}


async def test_a_control_plane_is_not_reached_through_the_front(
    client: httpx.AsyncClient, both: dict[str, Cluster]
) -> None:
    """It would be now that of one cluster and now that of another."""
    answer = await client.get("/admin/v1/keys")
    assert (answer.status_code, answer.headers.get("x-cluster")) == (404, None)


def test_nginx_takes_bodies_as_large_as_the_routers_do() -> None:
    """Its own default of 1 MiB would refuse an image."""
    assert f"client_max_body_size {MAX_BODY_BYTES >> 20}m;" in (MANIFESTS / "nginx.conf").read_text()


async def test_haproxy_asks_another_cluster_where_one_says_that_it_cannot(tmp_path: Path) -> None:
    """One whose router is there, and its models are not."""
    with clusters(a="", b="") as both, haproxy(both, tmp_path) as url:
        async with caller(url) as client:
            answers = [await predict(client, **{"x-refuse": "b"}) for _ in range(8)]
    assert {(answer.status_code, answer.headers["x-cluster"]) for answer in answers} == {(200, "a")}


async def test_haproxy_prefers_a_cluster_that_has_all_its_models_to_one_that_lives(tmp_path: Path) -> None:
    """And takes the other when there is none."""
    with clusters(a="", b="down") as both, haproxy(both, tmp_path) as url:
        stats = tmp_path / "stats"
        eventually(lambda: states(stats)["ready", "cluster-2"] == "DOWN")
        assert states(stats)["alive", "cluster-2"].startswith("UP")
        async with caller(url) as client:
            assert {(await predict(client)).headers["x-cluster"] for _ in range(8)} == {"a"}
            both["a"].kill()
            eventually(lambda: states(stats)["ready", "cluster-1"] == "DOWN")
            assert {(await predict(client)).headers["x-cluster"] for _ in range(8)} == {"b"}
