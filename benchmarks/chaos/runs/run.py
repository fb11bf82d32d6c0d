"""From the seed to the table."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autoglm import AsyncAutoClient
from benchmarks import report
from benchmarks.chaos.runs.errands import Errand, errands, file_of
from benchmarks.chaos.runs.faults import ALL, SINGLE, Fault, Strike, kill_all, rounds, single
from benchmarks.chaos.runs.house import House, OwnHouse
from benchmarks.chaos.runs.record import COLUMNS, Account, lines, shortcomings
from benchmarks.chaos.runs.traffic import PATIENT, Traffic
from benchmarks.chaos.runs.verdict import judge, read, strays

SHORTEST_S, LONGEST_S = 0.5, 6.0  # until the next fault: some runs have just begun then, and some are nearly done
END_S = 300.0  # after the last fault; a lease is 15 s, and a new cluster is there after a minute
SHOWN = 5  # runs that went wrong


@dataclass(frozen=True)
class Lab:
    """What is to be done: so many runs, each fault so often; all faults where `only` names none."""

    runs: int
    seed: int
    times: int
    only: tuple[str, ...] = ()

    def faults(self, house: OwnHouse, chance: random.Random) -> list[Fault]:
        """In their order.

        Raises:
            ValueError: `only` names one that there is not.
        """
        if unknown := set(self.only) - {*SINGLE, ALL}:
            raise ValueError(f"only: no fault is called {min(unknown)!r}; there are {', '.join((*SINGLE, ALL))}")
        names = self.only or (*SINGLE, ALL)
        whole = [Fault(ALL, partial(kill_all, house))] if ALL in names else []
        return rounds(single(house, names), whole, self.times, chance)


@dataclass(frozen=True)
class Findings:
    """What became of each run, what was done meanwhile, and what belongs to no run that was sent."""

    accounts: Sequence[Account]
    strikes: Sequence[Strike]
    unknown: Sequence[str]

    def shortcomings(self) -> list[str]:
        """What is required and was not seen, in words."""
        return [*shortcomings(self.accounts), *(f"nobody sent {one}" for one in self.unknown)]


def run(lab: Lab) -> int:
    """Do it and print the table; the exit status."""
    logging.basicConfig(format="%(message)s")
    with started() as (house, deliveries):
        findings = measure(lab, house, deliveries)
        found = findings.shortcomings()
        if found:
            sys.stderr.write(house.log())
    title = f"Background runs while the cluster dies, seed {lab.seed}"
    report.show(title, COLUMNS, lines(findings.accounts, findings.strikes))
    for told in found:
        sys.stderr.write(f"{told}\n")
    return 1 if found else 0


@contextmanager
def started() -> Iterator[tuple[OwnHouse, Path]]:
    """A cluster that is ready, and where its tools write to; until the block is left."""
    with tempfile.TemporaryDirectory(prefix="autoglm-") as folder:
        house = OwnHouse(file_of(), Path(folder))
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a time limit ends the cluster as well
        try:
            house.start()
            yield house, Path(folder) / "deliveries"
        except Exception:
            sys.stderr.write(house.log())
            raise
        finally:
            house.kill()


def measure(lab: Lab, house: OwnHouse, deliveries: Path) -> Findings:
    """Of a cluster that is ready."""
    chance = random.Random(lab.seed)
    sent = errands(lab.runs, lab.seed, deliveries)
    return asyncio.run(experiment(house, sent, lab.faults(house, chance), chance, deliveries))


async def experiment(
    house: House, errands: Sequence[Errand], faults: Sequence[Fault], chance: random.Random, deliveries: Path
) -> Findings:
    """The errands sent, spread over the faults, and judged when they have ended."""
    async with AsyncAutoClient(house.key, f"{house.url}/v1", retry=PATIENT) as client:
        traffic = Traffic(client)
        strikes = await inflicted(traffic, errands, faults, chance)
        unknown = await traffic.collect()
    came = read(deliveries)
    accounts = [Account(one, judge(one.errand, one.run, came)) for one in traffic.sent]
    for account in [account for account in accounts if account.judged.verdicts][:SHOWN]:
        tell(account)
    stray = strays(came, [one.run for one in traffic.sent if one.run is not None])
    return Findings(accounts, strikes, sorted(unknown | stray))


async def inflicted(
    traffic: Traffic, errands: Sequence[Errand], faults: Sequence[Fault], chance: random.Random
) -> list[Strike]:
    """One fault after the other at random moments, until all runs have ended, or END_S went by after the last."""
    is_all_sent = asyncio.Event()
    attending = asyncio.create_task(traffic.attend(is_all_sent))
    try:
        strikes = await struck(traffic, errands, faults, chance)
        is_all_sent.set()
        for ended in (await asyncio.wait([attending], timeout=END_S))[0]:
            ended.result()
    finally:
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)
    return strikes


async def struck(
    traffic: Traffic, errands: Sequence[Errand], faults: Sequence[Fault], chance: random.Random
) -> list[Strike]:
    """The faults inflicted, a share of the errands sent before each; returns when all were taken."""
    strikes = []
    async with asyncio.TaskGroup() as sending:
        for index, fault in enumerate(faults):
            for errand in errands[index :: len(faults)]:
                sending.create_task(traffic.send(errand))
            await asyncio.sleep(chance.uniform(SHORTEST_S, LONGEST_S))
            strikes.append(Strike(fault.name, await fault.inflict()))
            sys.stderr.write(f"{strikes[-1].at:%H:%M:%S} {fault.name}\n")
    return strikes


def tell(account: Account) -> None:
    """What a run that went wrong says of itself."""
    sent = account.sent
    sys.stderr.write(f"{sent.errand.instruction}: {', '.join(sorted(account.judged.verdicts))}\n")
    if sent.run is not None:
        sys.stderr.write(f"  expected {sent.errand.answer!r}: {sent.run.model_dump_json(exclude={'plan'})}\n")
