"""`autoglm models`: what the cluster serves."""

from __future__ import annotations

import typer

from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table
from autoglm.client import AutoClient


def models(json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None) -> None:
    """List the models and tasks of the cluster."""
    with AutoClient(api_key, base_url) as client:
        served = client.models()
    if json:
        typer.echo(served.model_dump_json())
        return
    print_table(
        ("name", "task", "versions"), [(card.id, card.task or "", ", ".join(card.versions)) for card in served.data]
    )
