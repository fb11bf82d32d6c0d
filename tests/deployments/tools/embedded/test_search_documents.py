"""The search over a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autoglm.errors import ConfigError, UnavailableError
from deployments.tools.embedded import folder as folder_module
from deployments.tools.embedded.folder import MAX_FILE_BYTES, PASSAGE_CHARS, passages
from deployments.tools.embedded.search_documents import REFRESH_S, Library, search_tool


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Some documents beside a secret."""
    (tmp_path / "secret.txt").write_text("the password is swordfish")
    documents = tmp_path / "documents"
    (documents / "deep").mkdir(parents=True)
    (documents / "cats.md").write_text("Cats sleep.\n\n" + "Cats hunt mice at night. " * 40)
    (documents / "deep" / "dogs.txt").write_text("Dogs bark, and dogs fetch.")
    (documents / "chinese.txt").write_text("部署模型需要一个配置文件。", encoding="utf-8")
    return documents


def test_the_passages_that_fit_best_come_first(folder: Path) -> None:
    """By path from the folder on; Chinese is found by its characters."""
    library = Library(folder)
    assert [found.path for found in library.search("dogs", 5)] == ["deep/dogs.txt"]
    assert library.search("dogs that hunt mice", 1)[0].path == "cats.md"
    assert library.search("配置", 5)[0].text == "部署模型需要一个配置文件。"
    assert library.search("giraffe", 5) == []
    assert len(library.search("cats", 1)) == 1
    assert all(len(found.text) <= PASSAGE_CHARS for found in library.search("cats", 20))


def test_nothing_outside_the_folder_is_read(folder: Path) -> None:
    """By links to files and folders, at whatever depth; nor what is hidden, no text, or never ends."""
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "deep" / "up").symlink_to(folder.parent)
    (folder / ".hidden.txt").write_text("swordfish")
    (folder / "program.exe").write_text("swordfish")
    os.mkfifo(folder / "pipe.txt")
    assert Library(folder).search("password swordfish", 5) == []


def test_what_is_read_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the size of a file, their number, and all bytes together."""
    (folder / "large.txt").write_bytes(b"elephant " * (MAX_FILE_BYTES // 9 + 1))
    assert Library(folder).search("elephant", 5) == []
    monkeypatch.setattr(folder_module, "MAX_FILES", 1)
    assert {found.path for found in passages(folder)} == {"cats.md"}


def test_a_changed_file_is_found_after_a_while(folder: Path) -> None:
    """Without a restart."""
    ticks = Ticks()
    library = Library(folder, ticks)
    (folder / "new.txt").write_text("zebra")
    ticks.now = REFRESH_S - 1
    assert library.search("zebra", 5) == []
    ticks.now = REFRESH_S
    assert [found.path for found in library.search("zebra", 5)] == ["new.txt"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Where it is declared, and where it went away later."""
    with pytest.raises(ConfigError, match="no folder"):
        search_tool(tmp_path / "nowhere")
    ticks = Ticks()
    gone = tmp_path / "gone"
    gone.mkdir()
    library = Library(gone, ticks)
    gone.rmdir()
    ticks.now = REFRESH_S
    with pytest.raises(UnavailableError):
        library.search("zebra", 5)
