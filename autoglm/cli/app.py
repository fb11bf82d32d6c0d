"""The command line put together: its commands, and how an error of the tree is shown."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from autoglm.cli.breakers import breaker_commands
from autoglm.cli.chat import chat
from autoglm.cli.doctor import doctor
from autoglm.cli.embed import embed
from autoglm.cli.grants import grant_commands
from autoglm.cli.keys import key_commands
from autoglm.cli.login import login
from autoglm.cli.models import models
from autoglm.cli.output import print_error
from autoglm.cli.predict import predict
from autoglm.cli.quota import quota_commands
from autoglm.cli.run import run
from autoglm.cli.task import task_commands
from autoglm.cli.tasks import run_commands
from autoglm.cli.tools import tool_commands
from autoglm.cli.usage import usage
from autoglm.cli.users import user_commands
from autoglm.errors import AutoGLMError

GROUPS = {
    "tasks": run_commands,
    "tools": tool_commands,
    "task": task_commands,
    "keys": key_commands,
    "users": user_commands,
    "quota": quota_commands,
    "grants": grant_commands,
    "breakers": breaker_commands,
}


class CommandLine(TyperGroup):
    """Shows an expected error as one line on stderr and exits with 1; any other is a fault and keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except AutoGLMError as error:
            print_error(error)
            raise typer.Exit(1) from error


def command_line() -> typer.Typer:
    """The commands, in the order in which `--help` lists them."""
    app = typer.Typer(
        cls=CommandLine,
        help="Talk to an Open-AutoGLM cluster. `python -m serve_app up` starts one.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,  # they would show the key
    )
    for command in (chat, run, predict, embed, models, login, doctor, usage):
        app.command()(command)
    for name, commands in GROUPS.items():
        app.add_typer(commands(), name=name)
    return app


def main() -> None:
    """The entry point `autoglm`."""
    command_line()()
