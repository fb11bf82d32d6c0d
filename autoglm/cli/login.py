"""`autoglm login`: a server and its key, kept as a profile."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from autoglm.cli.inputs import piped_text
from autoglm.cli.options import ApiKeyOption, BaseUrlOption
from autoglm.client import AutoClient
from autoglm.client.profile import DEFAULT_PROFILE, write_profile


def login(
    profile: Annotated[str, typer.Option(help="The profile's name; `default` is used unasked.")] = DEFAULT_PROFILE,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Check a key with its server and keep both as a profile, readable by you alone.

    Without --api-key the key is asked for and not shown, or read from a pipe; AUTOGLM_PROFILE chooses a profile.
    """
    key = api_key or _asked()
    with AutoClient(key, base_url, profile="") as client:
        served = client.models()
        path = write_profile(profile, {"base_url": client.base_url, "api_key": key})
        typer.echo(f"{client.base_url} serves {len(served.data)} models and tasks; profile {profile} is in {path}")


def _asked() -> str:
    """The key without the line end that a pipe or a paste adds."""
    typed = typer.prompt("API key", hide_input=True) if sys.stdin.isatty() else piped_text()
    return str(typed).strip()
