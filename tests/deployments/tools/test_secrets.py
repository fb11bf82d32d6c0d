"""Secrets by reference: read when needed, refused when others may read them, and taken out of what is told on."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from autoglm.errors import ConfigError
from deployments.tools.secrets import SecretReference, Secrets


def written(path: Path, text: str, mode: int = 0o600) -> SecretReference:
    """A reference to a file that holds the text."""
    path.write_text(text)
    path.chmod(mode)
    return SecretReference(file=path)


async def test_a_variable_is_read_when_it_is_asked_for() -> None:
    """And the reference shows its name alone."""
    environment = {"CRM_TOKEN": "one\n"}
    secrets, reference = Secrets(environment), SecretReference(env="CRM_TOKEN")
    assert await secrets.value(reference) == "one"
    environment["CRM_TOKEN"] = "two"
    assert await secrets.value(reference) == "two"
    assert "two" not in repr((secrets, reference))


async def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    """So that a secret can be renewed without a restart."""
    secrets, reference = Secrets({}), written(tmp_path / "token", "one")
    assert await secrets.value(reference) == "one"
    written(tmp_path / "next", "renewed").file.rename(tmp_path / "token")  # type: ignore[union-attr]
    assert await secrets.value(reference) == "renewed"


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("value", 0o640, "chmod 600"),
        ("value", 0o604, "chmod 600"),
        ("", 0o600, "missing or empty"),
        ("a\nb: c", 0o600, "line break"),
        ("x" * 20_000, 0o600, "longer than"),
    ],
)
async def test_a_file_that_is_no_secret_is_refused(tmp_path: Path, text: str, mode: int, message: str) -> None:
    """The error names the file, and holds nothing of what is in it."""
    with pytest.raises(ConfigError, match=message) as caught:
        await Secrets({}).value(written(tmp_path / "token", text, mode))
    assert str(tmp_path / "token") in caught.value.message
    assert not text or text not in caught.value.message


async def test_what_is_missing_is_named() -> None:
    """By its reference, for there is no value."""
    with pytest.raises(ConfigError, match="the variable CRM_TOKEN is missing"):
        await Secrets({}).value(SecretReference(env="CRM_TOKEN"))
    with pytest.raises(ConfigError, match="/nowhere/token cannot be read"):
        await Secrets({}).value(SecretReference(file=Path("/nowhere/token")))


def test_a_reference_is_of_one_kind() -> None:
    """Neither of both, nor of none; a value in its place is refused and not shown."""
    for value in ({}, {"env": "A", "file": "b"}, "s3cret"):
        with pytest.raises(ValidationError) as caught:
            SecretReference.model_validate(value)
        assert "s3cret" not in str(caught.value)


async def test_values_are_taken_out_of_what_others_say() -> None:
    """In the forms in which HTTP carries them, and the older value of one that was renewed."""
    environment = {"A": "first&one"}
    secrets, reference = Secrets(environment), SecretReference(env="A")
    await secrets.value(reference)
    environment["A"] = "user:next"
    await secrets.value(reference)
    encoded = base64.b64encode(b"user:next").decode()
    told = secrets.redacted(f"first&one, first%26one, Basic {encoded}, user%3Anext and harmless")
    assert told == "[secret], [secret], Basic [secret], [secret] and harmless"
