"""The tool `search_documents`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from autoglm.errors import ConfigError, UnavailableError
from autoglm.tool import tool
from deployments.tools.embedded.bm25 import Bm25
from deployments.tools.embedded.folder import Passage, passages
from deployments.tools.embedded.words import terms

REFRESH_S = 60.0  # a file that was changed is found with its new words after so long
QUERY_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Document:
    """A passage of a file; `path` is from the folder on. A score compares passages of one query alone."""

    path: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Documents:
    """The best passage first."""

    documents: list[Document]


class Library:
    """The index of a folder, made anew where it is asked after `REFRESH_S`. For several threads."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._read()

    def search(self, query: str, limit: int) -> list[Document]:
        """The passages that fit best."""
        with self._lock:
            if self._clock() >= self._read_at + REFRESH_S:
                self._read()
            index, found = self._index, self._passages
        ranked = index.ranked(terms(query), limit)
        return [Document(found[place].path, found[place].text, round(score, 4)) for place, score in ranked]

    def _read(self) -> None:
        try:
            self._passages: list[Passage] = passages(self._folder)
        except OSError as error:
            raise UnavailableError(f"the folder cannot be read: {error.strerror}") from None
        self._index = Bm25([terms(passage.text) for passage in self._passages])
        self._read_at = self._clock()


def search_tool(folder: Path) -> Callable[..., Documents]:
    """The tool, over a folder.

    Raises:
        ConfigError: it is no folder that can be read.
    """
    if not folder.is_dir():
        raise ConfigError(f"folder: {folder} is no folder")
    library = Library(folder)

    @tool(idempotent=True)
    def search_documents(
        query: Annotated[str, Field(min_length=1, max_length=QUERY_CHARS)],
        limit: Annotated[int, Field(ge=1, le=20)] = 5,
    ) -> Documents:
        """Search the documents of the local folder for passages about something: files, notes, manuals.
        搜索 查找 文档 资料 文件

        Args:
            query: words of what is looked for
            limit: how many passages to give
        """
        return Documents(library.search(query, limit))

    return search_documents
