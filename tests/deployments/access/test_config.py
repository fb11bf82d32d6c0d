"""The `security` section."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from deployments.access import AccessConfig, JwtConfig


def test_the_default_takes_keys_and_passwords() -> None:
    """And survives the way through JSON, as Serve's configuration takes it."""
    assert AccessConfig().auth == ("api_key", "basic")
    full = AccessConfig.model_validate({"auth": ["jwt"], "jwt": {"jwks_file": "jwks.json", "audience": "autoglm"}})
    assert AccessConfig.model_validate(full.model_dump(mode="json")) == full


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"auth": ["jwt"]}, "auth lists 'jwt', so jwt is required"),
        ({"jwt": {"jwks_file": "x", "audience": "y"}}, "auth does not list 'jwt'"),
        ({"auth": []}, "at least 1 item"),
        ({"auth": ["none"]}, "Input should be 'api_key'"),
        ({"failed_attempts_per_minute": 0}, "greater than or equal to 1"),
        ({"tokens": 1}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(section: dict[str, Any], message: str) -> None:
    """With what would do."""
    with pytest.raises(ValidationError, match=message):
        AccessConfig.model_validate(section)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, "exactly one of jwks_file and jwks_url"),
        ({"jwks_file": "x", "jwks_url": "https://issuer/jwks"}, "exactly one of jwks_file and jwks_url"),
        ({"jwks_url": "http://issuer/jwks"}, "must begin with https://"),
        ({"jwks_url": "http://127.0.0.1.evil.example/"}, "must begin with https://"),
        ({"jwks_url": "https://user:secret@issuer/jwks"}, "hold no password"),
        ({"jwks_url": "file:///etc/passwd"}, "must begin with https://"),
        ({"jwks_url": "https:///jwks"}, "must begin with https://"),
        ({"jwks_url": "jwks.json"}, "must begin with https://"),
        ({"jwks_url": "http://[::1"}, "must begin with https://"),
        ({"jwks_file": "x", "algorithms": ["HS256"]}, "Input should be 'RS256'"),
        ({"jwks_file": "x", "algorithms": ["none"]}, "Input should be 'RS256'"),
        ({"jwks_file": "x", "algorithms": []}, "at least 1 item"),
        ({"jwks_file": "x", "leeway_s": 301}, "less than or equal to 300"),
        ({"jwks_file": "x", "audience": ""}, "at least 1 character"),
        ({"jwks_file": "x", "audience": None}, "valid string"),
    ],
)
def test_a_jwt_section_that_would_open_the_door_is_refused(section: dict[str, Any], message: str) -> None:
    """Keys that anyone on the way could change, algorithms with a shared secret, no audience."""
    with pytest.raises(ValidationError, match=message):
        JwtConfig.model_validate({"audience": "autoglm"} | section)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:9000"])
def test_plain_http_is_for_the_loopback(host: str) -> None:
    """Where nobody is on the way."""
    assert JwtConfig(jwks_url=f"http://{host}/jwks", audience="autoglm").jwks_url == f"http://{host}/jwks"
