"""`autoglm embed`: vectors of texts."""

from __future__ import annotations

import json as jsonlib
from typing import Annotated

import typer

from autoglm.cli.inputs import given_texts
from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table
from autoglm.client import AutoClient

SHOWN = 6  # numbers of each vector that fit a terminal's line


def embed(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts; or piped in, one a line.")] = None,
    model: Annotated[str, typer.Option(help="The embedding model.")] = "embed",
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Embed texts: shows the shape and the first numbers; --json gives all of them."""
    inputs = given_texts(texts or [])
    with AutoClient(api_key, base_url) as client:
        vectors = client.embed(inputs, model)
    if json:
        typer.echo(jsonlib.dumps({"model": model, "shape": vectors.shape, "embeddings": vectors.tolist()}))
        return
    typer.echo(f"{vectors.shape[0]} x {vectors.shape[1]}, {vectors.dtype}")
    numbers = [" ".join(f"{value:+.4f}" for value in row[:SHOWN]) + " …" for row in vectors]
    print_table(("text", "vector"), list(zip(inputs, numbers, strict=False)))
