"""The calls of the admin API that register fitted tasks."""

from __future__ import annotations

from pathlib import Path

from autoglm.client.admin_calls import PREFIX, Pages, pages, segment
from autoglm.client.calls import reads
from autoglm.client.exchange import Call
from autoglm.client.file_body import FileBody
from autoglm.contract.registration import RegistrationCard, RegistrationList

ZIP = "application/zip"


def register(name: str, version: str, archive: Path) -> Call[RegistrationCard]:
    """A saved task uploaded; sent again, it is the same version."""
    body = FileBody(archive, ZIP)
    return Call("PUT", place(name, version), reads(RegistrationCard), body=body, idempotent=True)


def registrations(name: str | None) -> Pages[RegistrationCard]:
    """Versions by name and version, all or one name's."""
    return pages(
        "tasks", reads(RegistrationList), lambda last: {"after": f"{last.name}/{last.version}"}, {"name": name}
    )


def registration(name: str, version: str) -> Call[RegistrationCard]:
    """One of them."""
    return Call("GET", place(name, version), reads(RegistrationCard), idempotent=True)


def unregister(name: str, version: str) -> Call[RegistrationCard]:
    """A version taken away; sent again, there would be none."""
    return Call("DELETE", place(name, version), reads(RegistrationCard), once=True)


def place(name: str, version: str) -> str:
    """The path of a version."""
    return f"{PREFIX}/tasks/{segment(name)}/versions/{segment(version)}"
