"""Settings from arguments, the environment and the file of profiles, in that order."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path
from typing import Any, Unpack

import httpx
import pytest

from autoglm.client import ApiKey, AutoClient, Timeouts
from autoglm.client.config import ClientConfig, Settings
from autoglm.client.profile import read_profile, write_profile
from autoglm.errors import ConfigError

FILE = """\
[profiles.default]
base_url = "https://glm.example.org/v1"
api_key = "ag-default"
timeout = 20

[profiles.far]
base_url = "https://far.example.org"
api_key = "ag-far"
timeout = {connect = 1, read = 2, total = 3.5}
proxy = "http://proxy.example.org:3128"
"""


@pytest.fixture
def file(clean_environment: Path) -> Path:
    path = clean_environment / "config.toml"
    path.write_text(FILE)
    return path


def resolve(api_key: str | None = None, base_url: str | None = None, **settings: Unpack[Settings]) -> ClientConfig:
    return ClientConfig.resolve(api_key, base_url, settings)


@pytest.mark.usefixtures("file")
def test_arguments_come_before_the_environment_and_that_before_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the settings by itself."""
    found = resolve()
    assert (found.base_url, found.credential, found.timeouts) == (
        "https://glm.example.org/v1",
        ApiKey("ag-default"),
        Timeouts(read=20),
    )
    monkeypatch.setenv("AUTOGLM_PROFILE", "far")
    found = resolve()
    assert (found.base_url, found.credential) == ("https://far.example.org/v1", ApiKey("ag-far"))
    assert found.timeouts == Timeouts(connect=1, read=2, total=3.5)
    assert found.proxy is not None
    assert found.proxy.url == httpx.URL("http://proxy.example.org:3128")
    monkeypatch.setenv("AUTOGLM_TIMEOUT", "7")
    monkeypatch.setenv("AUTOGLM_PROXY", "http://other:1")
    monkeypatch.setenv("AUTOGLM_API_KEY", "ag-environment")
    found = resolve()
    assert (found.timeouts.read, found.credential) == (7, ApiKey("ag-environment"))
    assert found.proxy is not None
    assert found.proxy.url == httpx.URL("http://other:1")
    found = resolve("ag-argument", timeout=3, profile="default", proxy="http://third:1")
    assert (found.base_url, found.timeouts) == ("https://glm.example.org/v1", Timeouts(connect=3, read=3))
    assert found.credential == ApiKey("ag-argument")
    assert found.proxy is not None
    assert found.proxy.url == httpx.URL("http://third:1")


@pytest.mark.usefixtures("file")
def test_a_profiles_key_goes_to_its_own_server_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another address, given by argument or environment, must not be sent it."""
    assert resolve(base_url="https://glm.example.org").credential == ApiKey("ag-default")
    assert resolve(base_url="https://other.example.org").credential is None
    monkeypatch.setenv("AUTOGLM_BASE_URL", "https://other.example.org")
    assert resolve().credential is None


@pytest.mark.usefixtures("file")
def test_an_unknown_profile_is_refused_and_an_empty_name_is_none() -> None:
    """A typing error must not end at the default server."""
    with pytest.raises(ConfigError, match=r"profile: got 'fra'.*did you mean 'far'"):
        resolve(profile="fra")
    assert resolve(profile="").base_url == "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[profiles.default]\nbase_uri = 'x'", "unknown key 'base_uri'; did you mean 'base_url'"),
        ("[profile.default]", "unknown key 'profile'; did you mean 'profiles'"),
        ("[profiles.default]\napi_key = 5417", r"profiles.default.api_key: got a int; a text"),
        ("[profiles.default]\ntimeout = {reed = 1}", "unknown key 'reed'; did you mean 'read'"),
        ("[profiles.default]\ntimeout = {total = 0}", "timeout.total: got 0"),
        ("[profiles.default]\ntimeout = '5'", "timeout.read: got '5'"),
        ("[profiles]\ndefault = 1", "profiles.default: got int; a table"),
        ("profiles = 1", "profiles: got int"),
        ("[profiles", "is no TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(clean_environment: Path, text: str, message: str) -> None:
    """With the file, the key, and what would do; a value that may be a secret is not shown."""
    (clean_environment / "config.toml").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        resolve()
    assert "5417" not in str(caught.value)


def test_an_unknown_setting_is_refused_with_the_nearest(clean_environment: Path) -> None:
    """As a misspelt key of the file is."""
    with pytest.raises(ConfigError, match="unknown key 'time_out'; did you mean 'timeout'"):
        AutoClient(time_out=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), "5", True])
def test_a_time_that_is_none_is_refused(clean_environment: Path, wrong: Any) -> None:
    """Zero would end every call, and infinity none."""
    with pytest.raises(ConfigError, match=r"timeout\.read"):
        resolve(timeout=wrong)


def test_a_time_of_the_environment_that_is_none_is_refused(
    clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the variable."""
    monkeypatch.setenv("AUTOGLM_TIMEOUT", "soon")
    with pytest.raises(ConfigError, match="AUTOGLM_TIMEOUT: got 'soon'"):
        resolve()


def test_a_bundle_of_certificates_replaces_the_public_ones(
    clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company's own authority, by argument or environment; what is no bundle is named."""
    bundle = clean_environment / "ca.pem"
    bundle.write_text("no certificate")
    monkeypatch.setenv("AUTOGLM_CA_BUNDLE", str(bundle))
    with pytest.raises(ConfigError, match=r"ca_bundle: .*ca.pem cannot be used"):
        AutoClient()
    public = ssl.get_default_verify_paths().cafile
    if public is None:
        pytest.skip("this machine has no bundle to load")
    context = resolve(ca_bundle=public).http_options()["verify"]
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_proxys_password_is_shown_nowhere(clean_environment: Path) -> None:
    """Neither where it is used nor where it is refused."""
    assert "hunter2" not in repr(resolve(proxy="http://me:hunter2@proxy:3128"))
    with pytest.raises(ConfigError, match="proxy: ") as caught:
        resolve(proxy="ftp://me:hunter2@proxy")
    assert "hunter2" not in str(caught.value)


def test_a_written_profile_is_read_again_and_leaves_the_others(file: Path) -> None:
    """Comments and other tables stay as they were; the file is its owner's alone."""
    file.write_text("# mine\n" + FILE)
    file.chmod(0o644)
    write_profile("default", {"base_url": "http://new/v1", "api_key": 'ag-"new\\'})
    write_profile("third", {"base_url": "http://third/v1"})
    found = read_profile("default")
    assert found.base_url == "http://new/v1"
    assert found.api_key is not None
    assert found.api_key.reveal() == 'ag-"new\\'
    assert found.timeout is None
    assert read_profile("far").timeout == Timeouts(connect=1, read=2, total=3.5)
    assert read_profile("third").base_url == "http://third/v1"
    assert file.read_text().startswith("# mine\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_profile_in_another_form_is_not_spoilt(file: Path) -> None:
    """What the edit does not understand stays as it was, and the user is told."""
    file.write_text('profiles.default.base_url = "http://h/v1"\n')
    with pytest.raises(ConfigError, match="edit it by hand"):
        write_profile("default", {"base_url": "http://new/v1"})
    assert file.read_text() == 'profiles.default.base_url = "http://h/v1"\n'
    with pytest.raises(ConfigError, match="profile: got 'a b'"):
        write_profile("a b", {})
