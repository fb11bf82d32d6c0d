"""A task in a folder: declaration, what was fitted, and a manifest of checksums; JSON and safetensors, no pickle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from autoglm.contract import TaskConfig
from autoglm.errors import ConfigError, ModelError
from autoglm.tasks.declaration import read_task

VERSION = 1  # of the folder's form; raised when an older release could not read it right
MANIFEST, DECLARATION, HEAD, MODEL = "manifest.json", "task.json", "head.safetensors", "model"


def write_saved(folder: Path, config: TaskConfig, fitted: Path | None) -> Path:
    """Write the folder, which appears whole or not at all; `fitted` is a head's file, a model's folder or None.

    Raises ConfigError where it exists already.
    """
    target = folder.expanduser().absolute()
    if target.exists():
        raise ConfigError(f"{folder}: exists; remove it, or name another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        _write(aside, config, fitted)
        os.rename(aside, target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return target


def read_saved(folder: Path) -> tuple[TaskConfig, Path | None]:
    """The declaration, and where what was fitted lies.

    Raises ModelError where the folder was not written by `write_saved`, or is not what was written.
    """
    target = folder.expanduser().absolute()
    manifest = _manifest(target)
    if manifest.get("version") != VERSION:
        raise ModelError(
            f"{folder}: its version is {manifest.get('version')!r}, this release reads {VERSION}; "
            "save it again with this release, or install the release that wrote it"
        )
    if changed := _changed(checksums(target), manifest["files"]):
        raise ModelError(f"{folder}: {', '.join(changed)} is not as it was saved; copy it again, or save it anew")
    return read_task(target / DECLARATION), fitted_in(target)


def fitted_in(folder: Path) -> Path | None:
    """The head's file or the model's folder in a saved task; None where nothing was fitted."""
    return next((folder / name for name in (HEAD, MODEL) if (folder / name).exists()), None)


def checksums(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file but the manifest, by its path in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in files}


def _write(folder: Path, config: TaskConfig, fitted: Path | None) -> None:
    declared = config.model_dump(mode="json", exclude_unset=True) | {"task": config.task}
    (folder / DECLARATION).write_text(json.dumps(declared, indent=1, ensure_ascii=False), encoding="utf-8")
    if fitted is not None and fitted.is_dir():
        shutil.copytree(fitted, folder / MODEL)
    elif fitted is not None:
        shutil.copyfile(fitted, folder / HEAD)
    manifest = {"version": VERSION, "files": checksums(folder)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder}: no {MANIFEST} that can be read ({error}); a saved task's folder is expected"
        ) from error
    return manifest if isinstance(manifest, dict) and isinstance(manifest.get("files"), dict) else {}


def _changed(found: dict[str, str], told: dict[str, str]) -> list[str]:
    return sorted(name for name in {*found, *told} if found.get(name) != told.get(name))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
