"""A ledger for callers who have no quota: nobody may ask it for a lease."""

from __future__ import annotations

from deployments.quota import Allowances, Lease, Meter, Report, Wanted
from serve_app.http import Admission


class NoBank:
    """Keeps the reports."""

    def __init__(self) -> None:
        self.reports: list[Report] = []

    async def reserve(self, wanted: Wanted) -> Lease:
        raise AssertionError(f"nobody has a quota, and {wanted} is asked for")

    async def report(self, report: Report) -> None:
        self.reports.append(report)


def unlimited() -> Admission:
    """Admits every call."""
    meter = Meter()
    return Admission(Allowances(NoBank(), meter), meter)
