"""What is done to the cluster: each fault is inflicted some times, and is over when everything is back."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import psutil

from benchmarks.chaos.lab import CONTROL_TITLE, CONTROLLER_TITLE, ROUTER_TITLE, Lab, NotBackError, processes, send
from serve_app.names import CONTROL_APP, ROUTER_APP

Inflict = Callable[[Lab, random.Random], Awaitable[int]]

KILLED = "replica killed"
STOPPED_S = 4.0  # above what the routers' probes take to notice
SLOWED_S = 4.0
CYCLE_S, AWAKE = 0.1, 0.2  # a slowed replica runs this share of each cycle
ERRING_S = 12.0
ERROR_RATE = 0.2
OUTAGE_S = 5.0
SETTLE_S = 3.0  # until answers are under way, and HAProxy sends some to a new router (it asks each 250 ms, twice)
PAUSE_S = 0.5  # at most, at random, so that kills meet answers anywhere


@dataclass(frozen=True)
class Fault:
    """`inflict` returns how often it was; the traffic beside it may be answered from the cache (`is_cached`)."""

    name: str
    inflict: Inflict
    is_cached: bool = False
    may_cut: bool = False


async def kill_replicas(lab: Lab, chance: random.Random, kills: int) -> int:
    """One replica after the other by SIGKILL, as fast as Serve replaces them, with some always left alive."""
    done = 0
    while done < kills and not lab.time_up():
        await lab.until_serving(lab.subject.spared + 1)
        await asyncio.sleep(chance.uniform(0, PAUSE_S))
        title = chance.choice(lab.subject.kills)
        if victims := await lab.processes(title):
            send(chance.choice(victims), signal.SIGKILL)
            done += 1
    await lab.recovered()
    return done


async def stop_replicas(lab: Lab, chance: random.Random, times: int) -> int:
    """SIGSTOP until the routers must have noticed; then every other one goes on, and the rest are killed."""
    for turn in range(times):
        victim = await one_of(lab, lab.subject.kills[0], chance)
        send(victim, signal.SIGSTOP)
        await asyncio.sleep(STOPPED_S)
        send(victim, signal.SIGKILL if turn % 2 else signal.SIGCONT)
        await lab.until_serving(lab.subject.replicas)
    return times


async def slow_replicas(lab: Lab, chance: random.Random, times: int) -> int:
    """One replica at a time gets a fifth of its time."""
    for _ in range(times):
        victim = await one_of(lab, lab.subject.kills[0], chance)
        over = time.monotonic() + SLOWED_S
        while time.monotonic() < over:
            send(victim, signal.SIGSTOP)
            await asyncio.sleep((1 - AWAKE) * CYCLE_S)
            send(victim, signal.SIGCONT)
            await asyncio.sleep(AWAKE * CYCLE_S)
    return times


async def err(lab: Lab, chance: random.Random) -> int:
    """The engine fails a share of its answers, before the first token or later."""
    await lab.configure_engine(error_rate=ERROR_RATE, seed=chance.getrandbits(32))
    await asyncio.sleep(ERRING_S)
    await lab.configure_engine()
    return 1


async def kill_model(lab: Lab, chance: random.Random, times: int) -> int:
    """All replicas of the model at the same moment."""
    for _ in range(times):
        for victim in await lab.processes(lab.subject.kills[0]):
            send(victim, signal.SIGKILL)
        await lab.until_serving(lab.subject.replicas)
    return times


async def kill_routers(lab: Lab, chance: random.Random, times: int) -> int:
    """One of the two, when both are at work."""
    for _ in range(times):
        await lab.until_serving(2, ROUTER_APP, "router")
        await asyncio.sleep(SETTLE_S)
        send(await one_of(lab, ROUTER_TITLE, chance), signal.SIGKILL)
    await lab.recovered()
    return times


async def kill_control(lab: Lab, chance: random.Random) -> int:
    """The control plane, then Serve's own controller, and a replica of the model while they are gone."""
    titles = (CONTROL_TITLE, CONTROLLER_TITLE)
    for title in titles:
        send(await one_of(lab, title, chance), signal.SIGKILL)
        send(await one_of(lab, lab.subject.kills[0], chance), signal.SIGKILL)
        await asyncio.sleep(OUTAGE_S)
        await lab.until_serving(1, CONTROL_APP, "control")
        await lab.until_serving(lab.subject.replicas)
    return len(titles)


async def kill_redis(lab: Lab, chance: random.Random, times: int) -> int:
    """Gone for some seconds, then back and empty."""
    for _ in range(times):
        lab.redis.kill()
        await asyncio.sleep(OUTAGE_S)
        lab.redis.start()
        await asyncio.sleep(OUTAGE_S)
    return times


async def remove_node(lab: Lab, chance: random.Random) -> int:
    """A node joins, gets replicas, and loses its power: all its processes end at the same moment."""
    title = lab.subject.kills[0]
    node = lab.join_node()
    await asyncio.sleep(OUTAGE_S)
    for _ in range(lab.subject.replicas):
        send(await one_of(lab, title, chance), signal.SIGKILL)  # the next one goes where there is room
        await asyncio.sleep(OUTAGE_S)
        await lab.until_serving(lab.subject.replicas)
        if len(processes(title, node.pid)) > 1:
            break
    else:
        raise NotBackError("the second node got no replicas")
    for process in (psutil.Process(node.pid), *psutil.Process(node.pid).children(recursive=True)):
        send(process, signal.SIGKILL)
    node.wait()
    await asyncio.sleep(OUTAGE_S)
    await lab.recovered()
    return 1


async def one_of(lab: Lab, title: str, chance: random.Random) -> psutil.Process:
    """A process of this title.

    Raises:
        NotBackError: there is none.
    """
    if not (found := await lab.processes(title)):
        raise NotBackError(f"{title}: no such process")
    return chance.choice(found)


def faults_of(engine: str, kills: int, times: int) -> list[Fault]:
    """All that there are for the mock engine; a real one is killed, and stopped."""
    killed = Fault(KILLED, partial(kill_replicas, kills=kills))
    stopped = Fault("replica stopped", partial(stop_replicas, times=times))
    if engine == "vllm":
        return [killed, stopped]
    return [
        stopped,
        Fault("replica slowed", partial(slow_replicas, times=times)),
        Fault("engine errs", err),
        Fault("all replicas killed", partial(kill_model, times=times)),
        Fault("router killed", partial(kill_routers, times=times), may_cut=True),
        Fault("control plane killed", kill_control),
        Fault("Redis killed", partial(kill_redis, times=times), is_cached=True),
        Fault("node removed", remove_node),
        killed,
    ]
