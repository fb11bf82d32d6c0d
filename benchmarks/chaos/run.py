"""From a plan to the table."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

from autoglm.home import ensure_key
from benchmarks import report
from benchmarks.chaos.faults import KILLED, SETTLE_S, Fault, faults_of
from benchmarks.chaos.lab import Lab, Redis
from benchmarks.chaos.record import COLUMNS, Record, lines, p99, shortcomings
from benchmarks.chaos.subject import SUBJECTS, Subject
from benchmarks.chaos.traffic import Question, Traffic
from serve_app import cluster
from serve_app.environment import free_ports

SHOWN = 5  # replies of each kind of fault that went wrong


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
    subject = SUBJECTS[plan.engine]()
    undisturbed, records = measure(plan, subject)
    title = f"Faults under traffic, {plan.engine} engine, {subject.rate:g} requests/s, seed {plan.seed}"
    report.show(title, COLUMNS, lines(undisturbed, records))
    found = shortcomings(undisturbed, records, subject.added_p99_s) + unfinished(plan, records)
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


def measure(plan: Plan, subject: Subject) -> tuple[Record, list[Record]]:
    """What became of the traffic: undisturbed, and beside each fault."""
    faults = plan.faults()
    ends = time.monotonic() + plan.seconds
    [port] = free_ports(1)
    redis = Redis()
    with redis.running() as redis_url:
        config = subject.config(port, redis_url) | {"proxy_location": "HeadOnly"}  # two nodes share this machine's port
        with cluster.local_ray() as dashboard:
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a time limit ends the cluster as well
            lab = Lab(dashboard, config, subject, redis, lambda: time.monotonic() > ends)
            return asyncio.run(experiment(lab, faults, f"http://127.0.0.1:{port}", plan.seed))


def unfinished(plan: Plan, records: list[Record]) -> list[str]:
    """That the time was up before all replicas were killed."""
    killed = sum(record.times for record in records if record.name == KILLED)
    wanted = plan.kills if any(record.name == KILLED for record in records) else 0
    return [f"{KILLED}: {killed} times, {wanted} required"] if killed < wanted else []


async def experiment(lab: Lab, faults: list[Fault], url: str, seed: int) -> tuple[Record, list[Record]]:
    """The undisturbed traffic, then the same beside each fault."""
    await lab.deploy()
    async with Traffic(url, ensure_key(), lab.subject, lab.subject.rate, seed) as traffic:
        await learn(lab.subject, traffic)
        async with traffic.flowing() as exchanges:
            await asyncio.sleep(lab.subject.undisturbed / lab.subject.rate)
        undisturbed = Record("none", 0, exchanges, await lab.tally())
        tell(undisturbed)
        chance = random.Random(seed)
        return undisturbed, [await inflicted(fault, lab, traffic, chance) for fault in faults]


async def inflicted(fault: Fault, lab: Lab, traffic: Traffic, chance: random.Random) -> Record:
    """One fault's record. That a router took its tally with it is seen where traffic's connections may be cut."""
    before = await lab.tally()
    async with traffic.flowing(is_cached=fault.is_cached) as exchanges:
        await asyncio.sleep(SETTLE_S)
        times = await fault.inflict(lab, chance)
    tally = None if fault.may_cut else await lab.tally() - before
    record = Record(fault.name, times, exchanges, tally, fault.may_cut)
    tell(record)
    return record


def tell(record: Record) -> None:
    """How it went, and what a few of the wrong replies were, while the rest goes on."""
    sys.stderr.write(f"{record.name}: {dict(record.counts())}, p99 {p99([record]):.2f} s\n")
    for exchange in record.wrong()[:SHOWN]:
        reply = exchange.reply
        sys.stderr.write(f"  after {exchange.seconds:.2f} s {', '.join(sorted(exchange.verdicts))}: {reply}\n")


async def learn(subject: Subject, traffic: Traffic) -> None:
    """The answers of the undisturbed engine."""

    async def ask(request: dict[str, Any]) -> str:
        exchange = await traffic.ask(Question(request, ""), is_stream=False)
        return exchange.reply.text

    await subject.learn(ask)
