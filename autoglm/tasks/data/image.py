"""Images: paths and URLs are read here; bytes, base64, PIL images and arrays are the model's to decode.

Only this process's own caller can name a path or a URL: what a cluster gets over the wire never comes through here.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoglm.errors import BadRequestError, ConfigError, UnprocessableEntityError
from autoglm.models.table import in_column

MAX_BYTES = 32 * 2**20  # of a file; MAX_PIXELS of the decoded image is checked by the model
FETCH_TIMEOUT_S = 20.0  # of the whole, and of each wait in it
_URL = re.compile(r"https?://", re.IGNORECASE)


class ImageInputs:
    """The processor of image tasks. URLs are fetched only where `allow_urls` says so."""

    def __init__(self, column: str, *, allow_urls: bool) -> None:
        self._column = column
        self._allow_urls = allow_urls

    def is_single(self, given: Any) -> bool:
        """Anything but a list."""
        return not isinstance(given, list | tuple)

    def accept(self, item: Any, index: int) -> Any:
        """A path's or a URL's bytes; anything else as it came."""
        param = f"inputs[{index}]"
        if isinstance(item, os.PathLike):
            return _read(Path(item), param)
        if isinstance(item, str) and _URL.match(item):
            return self._fetched(item, param)
        return item

    def from_row(self, row: Mapping[str, Any], source: str, folder: Path | None) -> Any:
        """The cell of the image column: a URL, base64, bytes, or a path below the folder of the table's file.

        Raises ConfigError where the path leads out of it: a table from elsewhere does not choose which files are read.
        """
        cell = in_column(row, self._column, source, "data.image")
        if folder is None or not isinstance(cell, str) or _URL.match(cell) or cell.startswith("data:"):
            return cell
        if not Path(cell).suffix:  # base64 has no dot
            return cell
        path = (folder / cell).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise ConfigError(f"{source}: column {self._column!r}: {cell!r:.80} leads out of {folder}")
        return path

    def column(self, place: int | None) -> str:
        """The image column."""
        return self._column

    def _fetched(self, url: str, param: str) -> bytes:
        if not self._allow_urls:
            raise BadRequestError(
                f"{param}: got a URL, and none is fetched unless the task declares `allow_urls: true`", param=param
            )
        return _fetch(url, param)


def _read(path: Path, param: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnprocessableEntityError(f"{param}: {path} cannot be read: {error.strerror}", param=param) from error
    _check_size(len(content), str(path), param)
    return content


def _fetch(url: str, param: str) -> bytes:
    """The body, read no further than its limit. Redirects are not followed: what was allowed is this address."""
    import httpx

    content = bytearray()
    end = time.monotonic() + FETCH_TIMEOUT_S
    try:
        with httpx.stream("GET", url, timeout=FETCH_TIMEOUT_S) as response:
            if response.status_code != 200:
                raise _unfetched(url, f"status {response.status_code}", param)
            for chunk in response.iter_bytes():
                content += chunk
                _check_size(len(content), url, param)
                if time.monotonic() > end:
                    raise _unfetched(url, f"not whole after {FETCH_TIMEOUT_S:g} s", param)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unfetched(url, str(error), param) from error
    return bytes(content)


def _check_size(size: int, name: str, param: str) -> None:
    if size > MAX_BYTES:
        raise UnprocessableEntityError(f"{param}: {name} has more than {MAX_BYTES:,} bytes", param=param)


def _unfetched(url: str, reason: str, param: str) -> UnprocessableEntityError:
    return UnprocessableEntityError(f"{param}: {url:.200} cannot be fetched: {reason}", param=param)
