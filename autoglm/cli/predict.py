"""`autoglm predict`: a declared task over inputs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from autoglm.cli.inputs import given_inputs
from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table
from autoglm.client import AutoClient

SHOWN = 60  # characters of an input that its row shows


def predict(
    task: Annotated[str, typer.Argument(help="The task, as the cluster's file names it.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT",
            help="Texts, @FILE for an image, \\[5.1, 3.5] for a row; `-` or a pipe: texts or rows, one a line.",
        ),
    ] = None,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Classify texts, images or rows of a table."""
    items = given_inputs(inputs or [])
    with AutoClient(api_key, base_url) as client:
        answer = client.predict(task, items)
    if json:
        typer.echo(answer.model_dump_json())
        return
    pairs = zip(items, answer.predictions, strict=False)
    print_table(
        ("input", "label", "score"), [(shown(item), found.label, f"{found.score:.4f}") for item, found in pairs]
    )


def shown(item: Any) -> str:
    """An input, short enough for a cell."""
    text = f"image, {len(item)} bytes" if isinstance(item, bytes) else str(item)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
