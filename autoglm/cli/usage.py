"""`autoglm usage`: what was used."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, get_args

import typer

from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table, whole
from autoglm.client import AutoClient
from autoglm.client.admin import BY
from autoglm.contract import UsageReport
from autoglm.contract.usage_report import UsageDimension

DIMENSIONS: tuple[UsageDimension, ...] = get_args(UsageDimension)
SUMS = ("requests", "prompt_tokens", "completion_tokens", "cost")

DayOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="This day in UTC included.")
]


def usage(
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="|".join(DIMENSIONS),
            help="One sum for each of these; given once for each. By default key, model and day.",
            show_default=False,
        ),
    ] = None,
    since: DayOption = None,
    until: DayOption = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV and nothing else.")] = False,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Tell what was used, by key, tenant, model and day; needs the scope admin."""
    if csv and json:
        raise typer.BadParameter("got --csv and --json; give one of them")
    dimensions = given_dimensions(by) if by else BY
    days = since.date() if since else None, until.date() if until else None
    with AutoClient(api_key, base_url) as client:
        if csv:
            typer.echo(client.admin.usage_csv(dimensions, *days), nl=False)
            return
        report = client.admin.usage(dimensions, *days)
    if json:
        typer.echo(report.model_dump_json())
    else:
        show(report, dimensions)


def given_dimensions(words: list[str]) -> tuple[UsageDimension, ...]:
    """What is summed by, each once, in the order of the columns.

    Raises:
        typer.BadParameter: a word is none of them.
    """
    if unknown := [word for word in words if word not in DIMENSIONS]:
        raise typer.BadParameter(f"--by: got {unknown[0]!r}; known: {', '.join(DIMENSIONS)}")
    return tuple(name for name in DIMENSIONS if name in words)


def show(report: UsageReport, dimensions: tuple[UsageDimension, ...]) -> None:
    """The report as a table; what it leaves out is told."""
    columns = (*dimensions, *SUMS)
    headings = [whole(name) if name == "key" else name.replace("_", " ") for name in columns]
    print_table(headings, [[shown(getattr(row, name)) for name in columns] for row in report.data])
    if report.has_more:
        typer.echo("There are more rows: ask for fewer days (--since, --until) or dimensions (--by).", err=True)


def shown(value: object) -> str:
    """A cell."""
    return f"{value:,}" if isinstance(value, int | float) else str(value)
