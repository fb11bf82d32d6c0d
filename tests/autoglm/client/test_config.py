"""Where the key and the address come from."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from autoglm.client import ApiKey, AutoClient
from autoglm.client.config import ClientConfig
from autoglm.errors import ConfigError
from autoglm.home import ensure_key


def resolve(api_key: str | None = None, base_url: str | None = None) -> ClientConfig:
    return ClientConfig.resolve(api_key, base_url, {})


def test_the_key_is_the_arguments_then_the_environments_then_the_local_file(
    clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The more explicit wins; without any of them, no credential is sent."""
    assert resolve().credential is None
    local = ensure_key()
    assert resolve().credential == ApiKey(local)
    monkeypatch.setenv("AUTOGLM_API_KEY", "from-environment\n")
    assert resolve().credential == ApiKey("from-environment")
    assert resolve("from-argument").credential == ApiKey("from-argument")


def test_the_local_key_is_not_sent_to_another_machine(clean_environment: Path) -> None:
    """It opens the local cluster; naming a remote server must not give it away."""
    ensure_key()
    assert resolve(base_url="https://glm.example.org/v1").credential is None
    assert resolve(base_url="http://[::1]:8000/v1").credential is not None


@pytest.mark.parametrize("key", ["", "two words", "line\nend", "ключ"])
def test_a_key_that_fits_no_header_is_refused_unseen(clean_environment: Path, key: str) -> None:
    """The HTTP library's own error would show it."""
    with pytest.raises(ConfigError, match="api_key") as caught:
        resolve(key)
    assert not key or key not in str(caught.value)


def test_a_credential_hides_its_secret() -> None:
    """In a repr, and so in the repr of whatever holds it."""
    assert "ag-secret" not in repr(ClientConfig(httpx.URL("http://h"), ApiKey("ag-secret")))


def test_the_address_is_the_arguments_then_the_environments_then_the_local_clusters(
    clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without `/v1` and a closing slash, it is one address."""
    assert resolve().base_url == "http://127.0.0.1:8000/v1"
    monkeypatch.setenv("AUTOGLM_BASE_URL", "http://glm:9000/")
    assert resolve().base_url == "http://glm:9000/v1"
    assert resolve(base_url="https://h/glm/v1/").base_url == "https://h/glm/v1"
    assert repr(AutoClient(base_url="http://h/v1")) == "AutoClient(base_url='http://h/v1')"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://h/v1", "http://", "http://h:port", "http://h/v1?key=1", "h"])
def test_an_address_that_is_none_is_refused_with_an_example(clean_environment: Path, url: str) -> None:
    """A typing error is told at once, not as a failed connection."""
    with pytest.raises(ConfigError, match=r"base_url: got .*http://127\.0\.0\.1:8000/v1"):
        resolve(base_url=url)


def test_a_password_in_an_address_is_refused_unseen(clean_environment: Path) -> None:
    """Addresses are shown in messages; secrets have a place of their own."""
    with pytest.raises(ConfigError, match="api_key") as caught:
        resolve(base_url="http://me:hunter2@h/v1")
    assert "hunter2" not in str(caught.value)


def test_loopback_is_reached_without_the_environments_proxy(clean_environment: Path) -> None:
    """A company's proxy cannot reach the user's own machine; other hosts need it."""
    assert not resolve().http_options()["trust_env"]
    assert resolve(base_url="https://glm.example.org").http_options()["trust_env"]
