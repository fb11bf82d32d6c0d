"""Where a model comes from: `embedded/NAME`, a local folder, or a hub id."""

from __future__ import annotations

import re
from pathlib import Path

from autoglm.errors import ConfigError
from autoglm.models import embedded

_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", re.ASCII)


def resolve(source: str) -> Path | str:
    """The folder of an embedded or local model, or the hub id as it came; the hub is not contacted here.

    Raises ConfigError for an unknown embedded name, and for what is neither a folder nor of a hub id's form.
    """
    if source.startswith(embedded.PREFIX):
        return embedded.prepare(source.removeprefix(embedded.PREFIX))
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder.absolute()
    if _HUB_ID.fullmatch(source):
        return source
    raise ConfigError(f"model: got {source!r}; embedded/NAME, an existing folder or a hub id is expected")
