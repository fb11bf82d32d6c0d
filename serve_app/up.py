"""`python -m serve_app up`: from a file to a cluster that answers, in the foreground."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from autoglm.home import ensure_key, key_path
from serve_app import cluster, environment
from serve_app.app import render
from serve_app.config import ClusterConfig
from serve_app.grpc import balance_with
from serve_app.preparation import prepare_models


def up(config: ClusterConfig, console: Console) -> None:
    """Prepare, deploy, say how to use it, and serve until Ctrl-C.

    Raises:
        ConfigError: the port is taken, or Serve refuses the configuration.
        ModelError: a model cannot be prepared or started.
    """
    started = time.monotonic()
    cluster.check_port(config.server.host, config.server.port)
    config = with_health_frontend(config)
    ensure_key()
    with console.status("preparing models") as status:
        prepare_models(config, lambda name: status.update(f"preparing the model of [bold]{escape(name)}[/bold]"))
    console.print("models are prepared; starting Ray")
    with cluster.local_ray() as dashboard:
        cluster.raise_on_signals()
        try:
            deploy(config, dashboard, console)
            console.print(welcome(config, dashboard, time.monotonic() - started))
            cluster.serve_until_interrupted()
        except cluster.Interrupted as signal:
            console.print(f"{signal}: ending every process of the cluster")
    console.print("stopped")


def with_health_frontend(config: ClusterConfig) -> ClusterConfig:
    """With HAProxy, the declared gRPC port is that of a frontend of our own, and Serve's own takes a free one.

    Raises:
        ConfigError: the port is taken.
    """
    server = config.server
    if server.grpc_port is None or not environment.has_haproxy():
        return config
    cluster.check_port(server.host, server.grpc_port)
    os.environ[environment.BALANCE] = balance_with(os.environ[environment.BALANCE], server.host, server.grpc_port)
    [served] = environment.free_ports(1)
    return config.model_copy(update={"server": server.model_copy(update={"grpc_port": served})})


def deploy(config: ClusterConfig, dashboard: str, console: Console) -> None:
    """Deploy everything and show each application as it becomes ready."""
    desired = render(config)
    names = [application["name"] for application in desired["applications"]]
    ready: set[str] = set()
    with console.status("deploying") as status:
        cluster.deploy(dashboard, desired)
        for statuses in cluster.watch(dashboard, names):
            now = {name for name, state in statuses.items() if state == "RUNNING"}
            for name in sorted(now - ready):
                console.print(f"  [green]ready[/green] {escape(name)}")
            ready |= now
            waiting = ", ".join(name for name in names if name not in now)
            status.update(f"{len(now)} of {len(names)} ready; waiting for {escape(waiting)}")


def welcome(config: ClusterConfig, dashboard: str, seconds: float) -> Panel:
    """Where it is, where the key is, and what to try first."""
    url = f"http://{config.server.host}:{config.server.port}"
    port = "" if config.server.port == 8000 else f" --base-url {url}/v1"
    tries = "\n".join(f"  {escape(command)}" for command in first_commands(config, url, port))
    return Panel(
        f"[bold]{url}[/bold]   ready after {seconds:.0f} s\n"
        f"key        {escape(str(key_path()))}\n"
        f"dashboard  {dashboard}\n\n"
        f"In another terminal:\n{tries}\n\nCtrl-C ends it.",
        title="Open-AutoGLM",
        expand=False,
    )


def first_commands(config: ClusterConfig, url: str, port: str) -> list[str]:
    """Three things to try; the first of the models and tasks that are declared."""
    autoglm = os.path.relpath(Path(sys.executable).with_name("autoglm"))  # the environment need not be activated
    commands = [
        f'curl -H "Authorization: Bearer $(cat {key_path()})" {url}/v1/models',
        *(
            f"{autoglm} chat{port} --model {model.name} 'Name the capital of France.'"
            for model in config.models
            if model.task == "text-generation"
        ),
        *(
            f"{autoglm} predict{port} {task.name} 'a wonderful film'"
            for task in config.tasks
            if task.task == "text-classification"
        ),
        f"{autoglm} doctor{port}",
    ]
    return commands[:3]
