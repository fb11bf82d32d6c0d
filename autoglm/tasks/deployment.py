"""`AutoTask.deploy`: a task is saved, packed, uploaded, and waited for until the cluster runs it."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autoglm.client.clock import SYSTEM_CLOCK, Clock
from autoglm.contract.field import NAME, VERSION
from autoglm.contract.registration import MAX_ARCHIVE_BYTES, RegistrationCard
from autoglm.errors import APITimeoutError, ConfigError, ModelError
from autoglm.tasks.saved import MODEL

if TYPE_CHECKING:
    from autoglm.client import AutoClient
    from autoglm.tasks.auto_task import AutoTask

POLL_S = 1.0
NUMBERED = re.compile(r"v([1-9][0-9]{0,8})")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Deployment:
    """How a task is deployed: as `version` (by default the next free one) of `name`, waited for `wait_s` seconds."""

    client: AutoClient
    name: str
    version: str | None
    wait_s: float
    progress: Progress
    clock: Clock = SYSTEM_CLOCK

    def run(self, task: AutoTask) -> RegistrationCard:
        """The card of the running version; raises as `AutoTask.deploy` does."""
        version = self._version()  # asked first: a cluster that cannot be used is heard of before anything is fitted
        with tempfile.TemporaryDirectory() as folder:
            saved = task.save(Path(folder) / "task", self.progress)
            check_model(task.config.model, saved)
            archive = packed(saved, Path(folder) / "task.zip")
            self.progress(f"uploading {self.name} {version}: {archive.stat().st_size:,} bytes")
            card = self.client.admin.register_task(self.name, version, archive)
        return self._running(card)

    def _version(self) -> str:
        """The version to be taken: the given one, or one above the highest number that is registered or served."""
        taken = [card.version for card in self.client.admin.tasks(self.name)]
        if self.version is not None:
            return self.version
        served = [version for card in self.client.models().data if card.id == self.name for version in card.versions]
        numbers = [int(found[1]) for version in taken + served if (found := NUMBERED.fullmatch(version))]
        return f"v{max(numbers, default=0) + 1}"

    def _running(self, card: RegistrationCard) -> RegistrationCard:
        end, told = self.clock.now() + self.wait_s, ""
        while card.status != "running":
            if card.status == "failed":
                raise ModelError(f"{card.name} {card.version} failed on the cluster: {card.message}")
            if card.status != told:
                told = card.status
                self.progress(f"{card.name} {card.version} is {told}")
            if (left := end - self.clock.now()) <= 0:
                raise APITimeoutError(
                    f"{card.name} {card.version} is {card.status} and did not run within {self.wait_s:g} s; "
                    "it goes on, and `client.admin.task(name, version)` tells how it fares; wait_s gives it longer"
                )
            self.clock.sleep(min(POLL_S, left))
            card = self.client.admin.task(card.name, card.version)
        self.progress(f"{card.name} {card.version} is running")
        return card


def checked_name(name: str | None) -> str:
    """The name that a task is deployed by.

    Raises ConfigError where there is none, or none that a cluster takes.
    """
    if name is None:
        raise ConfigError("name: missing; give deploy() a name, or declare one")
    return _of_form(name, NAME, "name")


def checked_version(version: str | None) -> str | None:
    """The version, if one is given; ConfigError for one that a cluster does not take."""
    return None if version is None else _of_form(version, VERSION, "version")


def check_model(model: str | None, saved: Path) -> None:
    """Raises ConfigError for a model that only this process's working directory knows, unless it was saved whole."""
    if model is None or (saved / MODEL).is_dir() or Path(model).is_absolute():
        return
    if Path(model).expanduser().is_dir():
        raise ConfigError(
            f"model: {model} is a folder of this machine; name a model by embedded/NAME, by a hub id or by an absolute "
            "path that the cluster has too, or save the whole model with `fit: {method: full}`"
        )


def packed(folder: Path, archive: Path) -> Path:
    """The folder as a zip archive, not compressed: weights would hardly become smaller.

    Raises ModelError where it is larger than a cluster takes.
    """
    with zipfile.ZipFile(archive, "x") as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder))
    if (size := archive.stat().st_size) > MAX_ARCHIVE_BYTES:
        raise ModelError(f"the saved task has {size:,} bytes; a cluster takes at most {MAX_ARCHIVE_BYTES:,}")
    return archive


def _of_form(text: str, pattern: str, field: str) -> str:
    if not re.fullmatch(pattern.removesuffix("$"), text):
        raise ConfigError(
            f"{field}: got {text!r}; 1 to 63 small letters, digits and dashes{' or dots' * (field == 'version')} do, "
            "a letter or digit first and last"
        )
    return text
