"""`python -m serve_app up|check|render [FILE]`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from autoglm.errors import AutoGLMError
from serve_app import environment

DEFAULT_FILE = Path(__file__).with_name("default.yaml")

cli = typer.Typer(
    help="Start, check or render a cluster that one YAML file declares.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
File = Annotated[Path, typer.Argument(help="The cluster's YAML; the embedded default where none is given.")]
Gpu = Annotated[bool, typer.Option("--gpu", help="Give every vLLM version that asks for no GPU one.")]


@cli.command()
def up(
    file: File = DEFAULT_FILE,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.", min=1, max=65535)] = None,
    gpu: Gpu = False,
) -> None:
    """Start the cluster on this machine, in the foreground."""
    with tempfile.TemporaryDirectory(prefix="autoglm-") as folder:
        environment.prepare(Path(folder))
        from serve_app.config import listening, load, with_gpus
        from serve_app.up import up as run

        config = listening(load(file), host, port)
        run(with_gpus(config) if gpu else config, Console(highlight=False))


@cli.command()
def check(file: File = DEFAULT_FILE) -> None:
    """Validate a file; what is wrong is named with its line and column."""
    from serve_app.config import load

    config = load(file)
    parts = f"{len(config.models)} models, {len(config.tasks)} tasks and {len(config.tools)} tools"
    typer.echo(f"{file}: {parts}, all well declared")


@cli.command()
def render(file: File = DEFAULT_FILE, gpu: Gpu = False) -> None:
    """Write the multi-application Serve config that `serve run`, `serve deploy` and KubeRay take."""
    from serve_app.app import render as render_config
    from serve_app.config import load, with_gpus

    config = load(file)
    rendered = render_config(with_gpus(config) if gpu else config)
    typer.echo(yaml.safe_dump(rendered, sort_keys=False), nl=False)


def main() -> None:
    """Run the command line; a known error is one message, not a traceback."""
    try:
        cli()
    except AutoGLMError as error:
        typer.secho(error.message, err=True, fg="red")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
