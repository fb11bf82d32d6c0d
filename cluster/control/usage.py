"""Usage by key, tenant, model and day."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from autoglm.contract.usage_report import UsageDimension, UsageRow
from cluster.control import upsert
from cluster.control.tables import Usage
from deployments.quota.meter import Spent
from deployments.quota.windows import MICROS

SUMS = ("requests", "prompt_tokens", "completion_tokens", "cost_micros")


def add(session: Session, spent: Iterable[Spent]) -> None:
    """Add to the sums; in one order, so that two writers never wait for each other in a ring."""
    for one in sorted(spent, key=lambda one: (one.key, one.tenant, one.model, one.day)):
        row = {"key": one.key, "tenant": one.tenant, "model": one.model, "day": one.day}
        upsert.add_counts(session, Usage, row, {name: getattr(one, name) for name in SUMS})


def totals(
    session: Session,
    by: Sequence[UsageDimension],
    *,
    since: date | None = None,
    until: date | None = None,
    limit: int,
) -> list[UsageRow]:
    """At most `limit` sums over the days from `since` to `until`, both included, one for each value of `by`."""
    dimensions = [getattr(Usage, name) for name in by]
    query = select(*dimensions, *(func.sum(getattr(Usage, name)).label(name) for name in SUMS))
    query = query.group_by(*dimensions).order_by(*dimensions).limit(limit)
    if since is not None:
        query = query.where(Usage.day >= since)
    if until is not None:
        query = query.where(Usage.day <= until)
    return [row_of(values._asdict()) for values in session.execute(query)]


def row_of(values: dict[str, Any]) -> UsageRow:
    """A sum as it is told; databases sum integers to decimals."""
    cost = int(values.pop("cost_micros")) / MICROS
    return UsageRow.model_validate({**values, "cost": cost})


def as_csv(rows: Iterable[UsageRow], by: Sequence[UsageDimension]) -> str:
    """The sums as CSV with a header."""
    columns = [*by, "requests", "prompt_tokens", "completion_tokens", "cost"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([getattr(row, name) for name in columns] for row in rows)
    return text.getvalue()
