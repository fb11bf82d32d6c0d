"""`autoglm …`: the client's command line. It starts no server; that is `python -m serve_app`."""

from autoglm.cli.app import main

__all__ = ["main"]
