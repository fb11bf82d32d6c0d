"""`python -m cluster.control upgrade|downgrade|check`: the schema of the control plane's database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from autoglm.cli.output import print_error
from autoglm.errors import AutoGLMError
from cluster.control import migrate

Url = Annotated[
    str | None,
    typer.Option(envvar="AUTOGLM_DATABASE_URL", help="By default control.db in the home folder.", show_default=False),
]

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)


@app.command()
def upgrade(url: Url = None) -> None:
    """Bring the schema to this program's revision."""
    with told():
        migrate.upgrade(url)


@app.command()
def downgrade(revision: str, url: Url = None) -> None:
    """Take the schema back to a revision; what later ones hold is lost."""
    with told():
        migrate.downgrade(url, revision)


@app.command()
def check(url: Url = None) -> None:
    """Say whether the database can be worked with as it is."""
    with told():
        migrate.check(url)


@contextmanager
def told() -> Iterator[None]:
    """Errors in a line, and exit status 1."""
    try:
        yield
    except AutoGLMError as error:
        print_error(error)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
