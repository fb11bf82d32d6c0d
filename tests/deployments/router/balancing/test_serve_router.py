"""The guards and policies inside Serve's own request routers, without a cluster."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from ray.serve.exceptions import DeploymentUnavailableError

from deployments.router.balancing.attempt import Attempt
from deployments.router.balancing.config import BalancingConfig, Policy
from deployments.router.balancing.prefix import BLOCK_CHARS
from deployments.router.balancing.prober import ProbeConfig
from deployments.router.balancing.serve_router import SERVE_ROUTERS, Guarded
from tests.deployments.router.balancing.running_replica import FakeRunning, route, routed_by

every_policy = pytest.mark.parametrize("policy", SERVE_ROUTERS)


def config(policy: Policy) -> BalancingConfig:
    return BalancingConfig(policy=policy, weights={"far": 4.0} if policy == "weighted" else {})


def three() -> list[FakeRunning]:
    return [FakeRunning(unique_id) for unique_id in "abc"]


def only(replica: str) -> Attempt:
    """An attempt that failed on the two others; it brings all hints, and each policy takes its own."""
    return Attempt(excluded=frozenset("abc") - {replica}, key="session", prefix="once upon a time")


@every_policy
async def test_no_attempt_goes_where_its_request_failed(policy: Policy) -> None:
    """Whatever the policy would prefer; where all have failed it goes anywhere rather than nowhere."""
    router = await routed_by(config(policy), three())
    assert {await route(router, only("b")) for _ in range(10)} == {"b"}
    assert await route(router, Attempt(excluded=frozenset("abc"))) in "abc"


@every_policy
async def test_concurrent_calls_of_one_request_each_get_their_own_replica(policy: Policy) -> None:
    """Neither first come, first served, nor one call taken for another: all bear the same internal request id."""
    router = await routed_by(config(policy), three())
    wanted = list("abccbaabc")
    async with asyncio.timeout(20):
        assert await asyncio.gather(*(route(router, only(replica)) for replica in wanted)) == wanted


@every_policy
async def test_a_replica_that_keeps_failing_gets_no_more(policy: Policy) -> None:
    """Its failures are heard of by the attempts that carry them."""
    router = await routed_by(config(policy), three())
    for _ in range(5):
        failing = only("a")
        await route(router, failing)
        failing.failed()
    assert "a" not in {await route(router, Attempt(key=str(key))) for key in range(30)}


@pytest.mark.parametrize("fault", ["hangs", "is_dead"])
@every_policy
async def test_an_attempt_on_a_replica_that_is_lost_fails_over_at_once(policy: Policy, fault: str) -> None:
    """Probes find it though its connection stands, and the caller is told before its deadline."""
    replicas = three()
    setattr(replicas[0], fault, True)
    fast = config(policy).model_copy(update={"probe": ProbeConfig(interval_s=0.02, timeout_s=0.02)})
    router = await routed_by(fast, replicas)
    router.on_new_queue_len_info(replicas[0].replica_id, 0)
    attempt = only("a")
    await route(router, attempt)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30) as attempt.scope:
            await asyncio.Event().wait()
    assert attempt.given_up
    assert "a" not in {await route(router, Attempt(key=str(key))) for key in range(30)}


async def test_what_waits_for_a_dead_replica_is_given_up() -> None:
    """Ray may know of a lost node long before the connection to it does."""
    replicas = three()
    router = await routed_by(config("power_of_two"), replicas)
    attempt = only("a")
    await route(router, attempt)
    replicas[0].is_dead = True
    router.on_replica_actor_died(replicas[0].replica_id)
    assert attempt.given_up
    assert "a" not in {await route(router) for _ in range(30)}


async def test_without_any_replica_an_attempt_that_may_not_wait_fails_at_once() -> None:
    """Where a fallback can answer, nobody waits for a replica to start."""
    router = await routed_by(config("power_of_two"), [])
    with pytest.raises(DeploymentUnavailableError):
        await route(router, Attempt(may_wait=False))


async def test_who_may_not_wait_fails_when_the_last_replica_dies() -> None:
    """Serve's controller may take seconds to say that they are gone."""
    replicas = three()
    for replica in replicas:
        replica.queue = FakeRunning.max_ongoing_requests
    router = await routed_by(config("power_of_two"), replicas)
    waiting = asyncio.create_task(route(router, Attempt(may_wait=False)))
    await replicas[0].probed.wait()
    for replica in replicas:
        router.on_replica_actor_died(replica.replica_id)
    with pytest.raises(DeploymentUnavailableError):
        await asyncio.wait_for(waiting, 20)


async def test_a_probe_finds_who_is_dead() -> None:
    """With nothing under way on it nobody else would ask Ray."""
    replicas = three()
    often = config("power_of_two").model_copy(update={"probe": ProbeConfig(interval_s=0.01)})
    router = await routed_by(often, replicas)
    await route(router)
    for replica in replicas:
        replica.is_dead = True
    async with asyncio.timeout(20):
        while not await is_refused(router, Attempt(may_wait=False)):  # noqa: ASYNC110  # the prober has no event
            await asyncio.sleep(0)


async def is_refused(router: Guarded, attempt: Attempt) -> bool:
    """Whether a call finds no replica."""
    try:
        await route(router, attempt)
    except DeploymentUnavailableError:
        return True
    return False


async def test_probes_tell_how_long_the_queues_are() -> None:
    """What other routers sent somewhere is known here before the next request, without asking for it then."""
    replicas = three()
    often = config("least_outstanding").model_copy(update={"probe": ProbeConfig(interval_s=0.01)})
    router = await routed_by(often, replicas)
    await route(router)  # before the first one Serve asks by itself
    replicas[2].queue = 500
    replicas[2].probed.clear()
    await replicas[2].probed.wait()
    assert "c" not in {await route(router) for _ in range(30)}


async def test_round_robin_takes_turns() -> None:
    """Each the same number, whatever their load."""
    router = await routed_by(config("round_robin"), three())
    assert Counter([await route(router) for _ in range(30)]) == {"a": 10, "b": 10, "c": 10}


@pytest.mark.parametrize("policy", ["power_of_two", "least_outstanding", "prefix_affinity"])
async def test_the_most_loaded_replica_gets_nothing(policy: Policy) -> None:
    """Of three, power of two choices never takes the last, and the others even out among themselves."""
    replicas = three()
    replicas[2].queue = 500
    router = await routed_by(config(policy), replicas)
    await replicas[2].probed.wait()
    while router.replica_queue_len_cache.get(replicas[2].replica_id) is None:  # noqa: ASYNC110  # Serve has no event
        await asyncio.sleep(0)
    counts = Counter([await route(router) for _ in range(100)])
    assert sorted(counts) == ["a", "b"]
    assert abs(counts["a"] - counts["b"]) <= 4


async def test_least_outstanding_breaks_ties_by_lot() -> None:
    """A stable order would send all first requests of all routers to one replica."""
    first = [await route(await routed_by(config("least_outstanding"), three())) for _ in range(30)]
    assert set(first) == {"a", "b", "c"}


async def test_weights_go_by_zone_or_else_by_address() -> None:
    """Eight times as many to a replica of weight 8 as to one of neither name."""
    replicas = [FakeRunning("a", zone="near"), FakeRunning("b", address="10.0.0.7"), FakeRunning("c", zone="far")]
    weights = {"near": 8.0, "10.0.0.7": 3.0}
    router = await routed_by(BalancingConfig(policy="weighted", weights=weights), replicas)
    counts = Counter([await route(router) for _ in range(1200)])
    assert counts["a"] == pytest.approx(800, abs=80)
    assert counts["b"] == pytest.approx(300, abs=70)
    assert counts["c"] == pytest.approx(100, abs=50)


async def test_a_key_keeps_its_replica_while_others_come_and_go() -> None:
    """In every router, and only the keys of a replica that is out move."""
    keys = [str(key) for key in range(60)]
    one = await routed_by(config("consistent_hash"), three())
    other = await routed_by(config("consistent_hash"), list(reversed(three())))
    home = {key: await route(one, Attempt(key=key)) for key in keys}
    assert set(home.values()) == {"a", "b", "c"}
    assert {key: await route(other, Attempt(key=key)) for key in keys} == home
    away = {key: await route(one, Attempt(key=key, excluded=frozenset("a"))) for key in keys}
    assert {key for key in keys if away[key] != home[key]} == {key for key in keys if home[key] == "a"}


async def test_a_prompt_goes_where_its_beginning_went() -> None:
    """Each conversation to its own replica, turn after turn."""
    router = await routed_by(config("prefix_affinity"), three())
    talks = [letter * BLOCK_CHARS for letter in "uvwxyz"]
    home = [await route(router, Attempt(prefix=talk)) for talk in talks]
    assert set(home) == {"a", "b", "c"}
    for turn in range(3):
        talks = [talk + str(turn) * BLOCK_CHARS for talk in talks]
        assert [await route(router, Attempt(prefix=talk)) for talk in talks] == home


async def test_a_replica_that_left_has_lost_its_prompts() -> None:
    """One that comes back has an empty cache, which is no reason to prefer it over a less loaded one."""
    replicas = three()
    router = await routed_by(BalancingConfig(policy="prefix_affinity", slow_start_s=0), replicas)
    await route(router, only("a"))
    router.update_replicas(replicas[1:])
    router.update_replicas(replicas)
    router.on_new_queue_len_info(replicas[0].replica_id, 2)
    assert await route(router, Attempt(prefix=only("a").prefix)) != "a"
