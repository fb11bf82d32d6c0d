"""The user's file of servers: `config.toml` in the home folder, a table `[profiles.NAME]` for each."""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from autoglm.client.secret import Secret
from autoglm.client.timeouts import Timeouts
from autoglm.errors import ConfigError
from autoglm.home import home
from autoglm.suggestion import nearest

DEFAULT_PROFILE = "default"

_NAME = re.compile(r"[A-Za-z0-9_-]+")  # TOML's bare keys, so that a header needs no quotes


@dataclass(frozen=True)
class Profile:
    """What a profile may set; None is left to the defaults."""

    base_url: str | None = None
    api_key: Secret | None = None
    timeout: Timeouts | None = None
    ca_bundle: str | None = None
    proxy: str | None = None

    @classmethod
    def of(cls, table: Mapping[str, Any], place: str) -> Profile:
        """From its table in the file.

        Raises:
            ConfigError: a key is unknown or its value of another type; the message does not show the value.
        """
        refuse_unknown(table, (field.name for field in fields(cls)), place)
        texts = {name: _text(table, name, place) for name in ("base_url", "api_key", "ca_bundle", "proxy")}
        key = texts.pop("api_key")
        timeout = _timeouts(table["timeout"], f"{place}.timeout") if "timeout" in table else None
        return cls(api_key=None if key is None else Secret(key), timeout=timeout, **texts)


def config_path() -> Path:
    """Where the profiles lie."""
    return home() / "config.toml"


def read_profile(name: str | None) -> Profile:
    """The profile of this name; without a name the one called `default`, empty if there is none.

    Raises:
        ConfigError: the file is malformed, or has no profile of this name.
    """
    path = config_path()
    profiles = _profiles(_read(path), path)
    if name is None and DEFAULT_PROFILE not in profiles:
        return Profile()
    found = profiles.get(name or DEFAULT_PROFILE)
    if found is None:
        known = nearest(str(name), profiles) if profiles else "`autoglm login --profile NAME` writes one"
        raise ConfigError(f"profile: got {name!r}, which {path} does not have; {known}")
    place = f"{path}: profiles.{name or DEFAULT_PROFILE}"
    if not isinstance(found, dict):
        raise ConfigError(f"{place}: got {type(found).__name__}; a table [profiles.NAME] does")
    return Profile.of(found, place)


def write_profile(name: str, values: Mapping[str, str]) -> Path:
    """Puts a profile into the file, in place of one of this name; all else in it stays. Mode 600; returns the path.

    Raises:
        ConfigError: the name has other characters than letters, digits, `_` and `-`, or the file cannot be edited.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"profile: got {name!r}; letters, digits, _ and - do")
    path = config_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = _read(path)
    wanted = {**_profiles(text, path), name: dict(values)}
    edited = _with_table(text, f"[profiles.{name}]", values)
    if not _holds(edited, wanted):  # a form of TOML that the edit does not know, such as a dotted key
        raise ConfigError(f"{path}: profiles.{name} is written in a form that is not edited here; edit it by hand")
    _replace(path, edited)
    return path


def refuse_unknown(given: Iterable[str], known: Iterable[str], place: str) -> None:
    """
    Raises:
        ConfigError: a name is not known; the message has the one that was probably meant.
    """
    names = list(known)
    for name in given:
        if name not in names:
            raise ConfigError(f"{place}: unknown key {name!r}; {nearest(name, names)}")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {type(error).__name__}") from None


def _profiles(text: str, path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is no TOML: {error}") from None
    refuse_unknown(content, ("profiles",), str(path))
    profiles = content.get("profiles", {})
    if not isinstance(profiles, dict):
        raise ConfigError(f"{path}: profiles: got {type(profiles).__name__}; tables [profiles.NAME] do")
    return profiles


def _holds(text: str, profiles: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == {"profiles": profiles}
    except tomllib.TOMLDecodeError:
        return False


def _text(table: Mapping[str, Any], name: str, place: str) -> str | None:
    value = table.get(name)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{place}.{name}: got a {type(value).__name__}; a text in quotes does")
    return value


def _timeouts(value: Any, place: str) -> Timeouts:
    if not isinstance(value, dict):
        return Timeouts.of(value)
    refuse_unknown(value, (field.name for field in fields(Timeouts)), place)
    return Timeouts(**value)


def _with_table(text: str, header: str, values: Mapping[str, str]) -> str:
    """The text with this table's lines replaced, or added at the end."""
    # JSON's strings are TOML's, but for the control character DEL, which stands in no such value.
    lines = [header, *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()), ""]
    table = "\n".join(lines)
    present = re.compile(rf"^{re.escape(header)}[^\n]*\n(?:(?!\[)[^\n]+\n?)*", re.MULTILINE)
    edited, found = present.subn(lambda _: table, text, count=1)
    return edited if found else "\n".join(part for part in (text, table) if part)


def _replace(path: Path, text: str) -> None:
    """Written aside (mkstemp makes it 600) and put in place at once, so that no reader sees half a file."""
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=".config-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
