"""Secrets by reference: a declaration names where the value lies, and the value is read when it is needed.

No repr, error or log of this module holds a value. What comes from outside and is told on goes through `redacted`,
for a service may well repeat in its error what it was sent.
"""

from __future__ import annotations

import asyncio
import base64
import os
import stat
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, ConfigDict, Field, model_validator

from autoglm.errors import ConfigError

MAX_SECRET_BYTES = 16 * 1024  # what common servers take in all headers of a request together
KEPT_VALUES = 64  # that a text is searched for: those of each reference now, and before a file's last changes
MASK = "[secret]"


class SecretReference(BaseModel):
    """`{env: NAME}`, a variable of the server's environment, or `{file: PATH}`, which its owner alone may read."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_value(cls, value: Any) -> Any:
        if isinstance(value, str):  # not shown: it may well be the secret
            raise ValueError("a secret is not written here but referred to, by {env: NAME} or {file: PATH}")
        return value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret is either {env: NAME} or {file: PATH}")
        return self

    def __str__(self) -> str:
        return f"the variable {self.env}" if self.file is None else f"the file {self.file}"


class Secrets:
    """The values behind references. A file is read again when it has changed, so that a secret can be renewed."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._files: dict[Path, tuple[tuple[int, int, int], str]] = {}
        self._told: OrderedDict[str, None] = OrderedDict()

    async def value(self, reference: SecretReference) -> str:
        """The value now, without white space around it.

        Raises:
            ConfigError: it is missing, empty, too long, not one line of text, or a file that others may read.
        """
        if reference.file is None:
            value = self._environment.get(reference.env or "", "")
        else:
            value = await asyncio.to_thread(self._read, reference.file)
        value = value.strip()
        _check(reference, value)
        self._keep(value)
        return value

    def redacted(self, text: str) -> str:
        """The text without the values that were given out, in the forms in which HTTP carries them."""
        forms = {form for value in self._told for form in _forms(value)}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, MASK)
        return text

    def _read(self, path: Path) -> str:
        try:
            with path.open("rb") as file:
                state = os.fstat(file.fileno())
                _check_mode(path, state)
                version = (state.st_ino, state.st_mtime_ns, state.st_size)
                if (known := self._files.get(path)) and known[0] == version:
                    return known[1]
                value = file.read(MAX_SECRET_BYTES + 1).decode()
        except OSError as error:
            raise ConfigError(f"secret: the file {path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise ConfigError(f"secret: the file {path} is no text in UTF-8") from None
        self._files[path] = (version, value)
        return value

    def _keep(self, value: str) -> None:
        self._told[value] = None
        self._told.move_to_end(value)
        while len(self._told) > KEPT_VALUES:
            self._told.popitem(last=False)


def _check(reference: SecretReference, value: str) -> None:
    if not value:
        raise ConfigError(f"secret: {reference} is missing or empty; put the value there")
    if len(value.encode()) > MAX_SECRET_BYTES:
        raise ConfigError(f"secret: {reference} is longer than {MAX_SECRET_BYTES} bytes")
    if not value.isprintable():
        raise ConfigError(f"secret: {reference} holds a line break or a control character; one line of text would do")


def _check_mode(path: Path, state: os.stat_result) -> None:
    """As the local key's is: a secret that others may read is none."""
    if not stat.S_ISREG(state.st_mode):
        raise ConfigError(f"secret: {path} is no file")
    if mode := stat.S_IMODE(state.st_mode) & 0o077:
        raise ConfigError(f"secret: others may read the file {path} (mode {mode:03o} beside its owner's); chmod 600 it")


def _forms(value: str) -> tuple[str, ...]:
    encoded = base64.b64encode(value.encode()).decode()  # as Basic has it (RFC 7617)
    return value, quote(value, safe=""), quote_plus(value), encoded, repr(value)[1:-1]
