"""From a plan to the table."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from dataclasses import dataclass
from typing import Any

from autoglm.home import ensure_key
from benchmarks import report
from benchmarks.chaos.faults import Fault, faults_of
from benchmarks.chaos.lab import Lab, Redis
from benchmarks.chaos.record import COLUMNS, Record, lines, shortcomings
from benchmarks.chaos.subject import SUBJECTS, Subject
from benchmarks.chaos.traffic import Question, Traffic
from serve_app import cluster
from serve_app.environment import free_ports


@dataclass(frozen=True)
class Plan:
    """What is to be done; all faults where `only` names none."""

    engine: str
    kills: int
    times: int
    seed: int
    seconds: float
    only: tuple[str, ...] = ()

    def faults(self) -> list[Fault]:
        """In their order.

        Raises:
            ValueError: `only` names one that there is not.
        """
        faults = faults_of(self.engine, self.kills, self.times)
        if unknown := set(self.only) - {fault.name for fault in faults}:
            raise ValueError(f"only: no fault of {self.engine} is called {sorted(unknown)[0]!r}")
        return [fault for fault in faults if not self.only or fault.name in self.only]


def run(plan: Plan) -> int:
    """Do it and print the table; the exit status."""
    faults = plan.faults()
    ends = time.monotonic() + plan.seconds
    subject = SUBJECTS[plan.engine]()
    [port] = free_ports(1)
    redis = Redis()
    with redis.running() as redis_url:
        config = subject.config(port, redis_url) | {"proxy_location": "HeadOnly"}  # two nodes share this machine's port
        with cluster.local_ray() as dashboard:
            lab = Lab(dashboard, config, subject, redis, lambda: time.monotonic() > ends)
            undisturbed, records = asyncio.run(experiment(lab, faults, f"http://127.0.0.1:{port}", plan.seed))
    title = f"Faults under traffic, {plan.engine} engine, {subject.rate:g} requests/s, seed {plan.seed}"
    report.show(title, COLUMNS, lines(undisturbed, records))
    found = shortcomings(undisturbed, records, subject.added_p99_s)
    found += [
        f"{record.name}: {record.times} times, {plan.kills} required"
        for record in records
        if record.name == "replica killed" and record.times < plan.kills
    ]
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


async def experiment(lab: Lab, faults: list[Fault], url: str, seed: int) -> tuple[Record, list[Record]]:
    """The undisturbed traffic, then the same beside each fault."""
    await lab.deploy()
    async with Traffic(url, ensure_key(), lab.subject, lab.subject.rate, seed) as traffic:
        await learn(lab.subject, traffic)
        async with traffic.flowing() as exchanges:
            await asyncio.sleep(lab.subject.undisturbed / lab.subject.rate)
        undisturbed = Record("none", 0, exchanges, await lab.tally())
        chance = random.Random(seed)
        return undisturbed, [await inflicted(fault, lab, traffic, chance) for fault in faults]


async def inflicted(fault: Fault, lab: Lab, traffic: Traffic, chance: random.Random) -> Record:
    """One fault's record. That a router took its tally with it is seen where traffic's connections may be cut."""
    before = await lab.tally()
    async with traffic.flowing(is_cached=fault.is_cached) as exchanges:
        times = await fault.inflict(lab, chance)
    tally = None if fault.may_cut else await lab.tally() - before
    record = Record(fault.name, times, exchanges, tally, fault.may_cut)
    sys.stderr.write(f"{record.name}: {dict(record.counts())}\n")
    return record


async def learn(subject: Subject, traffic: Traffic) -> None:
    """The answers of the undisturbed engine."""

    async def ask(request: dict[str, Any]) -> str:
        exchange = await traffic.ask(Question(request, ""), is_stream=False)
        return exchange.reply.text

    await subject.learn(ask)
