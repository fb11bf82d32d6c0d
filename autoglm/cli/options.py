"""The options that every command has."""

from __future__ import annotations

from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="The server; else AUTOGLM_BASE_URL, else the profile's, else http://127.0.0.1:8000/v1.",
        show_default=False,
    ),
]
ApiKeyOption = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        metavar="KEY",
        help="The key; else AUTOGLM_API_KEY, else the profile's, else the local cluster's own.",
        show_default=False,
    ),
]
