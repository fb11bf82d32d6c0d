"""`autoglm doctor`: whether this machine can run a cluster, and whether one answers."""

from __future__ import annotations

import json as jsonlib
import socket
from collections.abc import Iterator
from dataclasses import asdict

import typer
from rich.text import Text

from autoglm.cli.checks import (
    DASHBOARD_PORT,
    HTTP_PORT,
    Check,
    available_memory_gib,
    check_cuda_only,
    check_dashboard_port,
    check_http_port,
    check_key,
    check_memory,
    check_server,
    check_version,
)
from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table
from autoglm.client import AutoClient
from autoglm.client.config import DEFAULT_BASE_URL, chosen_profile, given_address
from autoglm.client.retry import NO_RETRIES
from autoglm.compatibility import COMPONENTS, installed_version
from autoglm.errors import AutoGLMError
from autoglm.home import key_path

TIMEOUT_S = 5.0  # health and model list come from memory
STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None) -> None:
    """Check versions, memory, ports, key and server; exits with 1 if a check fails."""
    checks = list(examine(base_url, api_key))
    failed = any(check.status == "fail" for check in checks)
    if json:
        typer.echo(jsonlib.dumps({"ok": not failed, "checks": [asdict(check) for check in checks]}))
    else:
        rows = [(Text(check.status, STYLES[check.status]), check.name, check.found, check.advice) for check in checks]
        print_table(("", "check", "found", "what to do"), rows)
    if failed:
        raise typer.Exit(1)


def examine(base_url: str | None, api_key: str | None) -> Iterator[Check]:
    """All checks, in the order in which one would put things right."""
    for component in COMPONENTS:
        yield check_version(component, component.installed())
    yield check_cuda_only(installed_version)
    yield check_memory(available_memory_gib())
    cluster = _answers_health(f"http://127.0.0.1:{HTTP_PORT}")
    yield check_http_port(taken=_taken(HTTP_PORT), cluster=cluster)
    yield check_dashboard_port(taken=_taken(DASHBOARD_PORT), cluster=cluster)
    yield check_key(key_path())
    named = given_address(base_url, chosen_profile(None))
    address = named or DEFAULT_BASE_URL
    yield check_server(address, lambda: _count_models(api_key, address), named=bool(named))


def _answers_health(base_url: str) -> bool:
    try:
        # `/health` needs no key, and a wrong one found on this machine must not hide its answer.
        with AutoClient("none", base_url, timeout=TIMEOUT_S, retry=NO_RETRIES) as client:
            client.health()
    except AutoGLMError:
        return False
    return True


def _count_models(api_key: str | None, base_url: str) -> int:
    with AutoClient(api_key, base_url, timeout=TIMEOUT_S, retry=NO_RETRIES) as client:
        return len(client.models().data)


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
