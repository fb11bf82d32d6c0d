"""The user's folder (`AUTOGLM_HOME`, by default `~/.autoglm`) and the local key in it."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

KEY_BYTES = 32  # 256 bits, the size that NIST SP 800-57 asks of a long-lived symmetric secret


def home() -> Path:
    """The folder that holds the key and the prepared models; moved by `AUTOGLM_HOME`."""
    return Path(os.environ.get("AUTOGLM_HOME") or Path.home() / ".autoglm").expanduser().absolute()


def key_path() -> Path:
    """Where the local key lies."""
    return home() / "key"


def read_key() -> str | None:
    """The local key, or None where no cluster was ever started under this folder."""
    try:
        return key_path().read_text().strip() or None
    except FileNotFoundError:
        return None


def server_key() -> str:
    """The key that a server takes: `AUTOGLM_API_KEY`, which the nodes of a cluster share, or else the local key."""
    return os.environ.get("AUTOGLM_API_KEY") or ensure_key()


def ensure_key() -> str:
    """The local key, made on first use: readable by its owner alone, the same for two starts at once."""
    path = key_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (key := read_key()) is not None:
        return key
    # A whole file appears or none: written aside (mkstemp makes it 600) and linked, which fails if another was faster.
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=".key-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write("ag-" + secrets.token_urlsafe(KEY_BYTES) + "\n")
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
    finally:
        os.unlink(aside)
    key = read_key()
    if key is None:
        raise PermissionError(f"{path} exists and holds no key; remove it and start again")
    return key
