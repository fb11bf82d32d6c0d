"""Where the server is, who calls it, how long to wait and how often to try."""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass, field
from typing import Any, TypedDict

import httpx

from autoglm.client.auth import API_KEY_VARIABLE, ApiKey, Credential, local_key
from autoglm.client.clock import SYSTEM_CLOCK, Clock
from autoglm.client.hooks import GuardedHooks, Hooks
from autoglm.client.profile import Profile, read_profile, refuse_unknown
from autoglm.client.retry import RetryPolicy
from autoglm.client.timeouts import Timeouts
from autoglm.client.trace import Trace
from autoglm.errors import ConfigError

BASE_URL_VARIABLE = "AUTOGLM_BASE_URL"
DEFAULT_BASE_URL = "http://127.0.0.1:8000/v1"
DEFAULT_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)


class Settings(TypedDict, total=False):
    """The settings of both clients, by keyword; what is not given comes from the environment, else from the profile.

    `profile`: the profile's name (`AUTOGLM_PROFILE`); an empty one is none. `auth`: an ApiKey, Basic or JWT, instead
    of `api_key`. `timeout`: the longest silence in seconds (`AUTOGLM_TIMEOUT`), or Timeouts. `proxy`: a proxy's
    address (`AUTOGLM_PROXY`). `ca_bundle`: a file of certificates to trust instead of the public ones
    (`AUTOGLM_CA_BUNDLE`). `limits`: of connections. `hooks` hears of the calls, and `trace` gives a call's W3C
    traceparent. `clock` is for tests.
    """

    profile: str | None
    auth: Credential | None
    timeout: Timeouts | float | None
    retry: RetryPolicy
    limits: httpx.Limits
    proxy: str | None
    ca_bundle: str | os.PathLike[str] | None
    hooks: Hooks | None
    trace: Trace | None
    clock: Clock


@dataclass(frozen=True)
class ClientConfig:
    """What a client needs to know before its first call.

    `root` is the server's address without `/v1`, below which `/health` lies. No repr shows a secret: httpx hides the
    password of a proxy.
    """

    root: httpx.URL
    credential: Credential | None
    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    limits: httpx.Limits = field(default_factory=lambda: DEFAULT_LIMITS)
    proxy: httpx.Proxy | None = None
    ca_bundle: str | None = None
    hooks: Hooks | None = None
    trace: Trace | None = None
    clock: Clock = SYSTEM_CLOCK

    @classmethod
    def resolve(cls, api_key: str | None, base_url: str | None, settings: Settings) -> ClientConfig:
        """From the arguments, else the environment, else the profile, else the defaults.

        Raises:
            ConfigError: a setting is malformed, unknown, or contradicts another.
        """
        refuse_unknown(settings, Settings.__annotations__, "client")
        profile = chosen_profile(settings.get("profile"))
        root = server_root(given_address(base_url, profile) or DEFAULT_BASE_URL)
        proxy = settings.get("proxy") or _environment("PROXY") or profile.proxy
        hooks = settings.get("hooks")
        return cls(
            root=root,
            credential=_credential(api_key, settings.get("auth"), profile, root),
            timeouts=_timeouts(settings.get("timeout"), profile),
            retry=settings.get("retry") or RetryPolicy(),
            limits=settings.get("limits") or DEFAULT_LIMITS,
            proxy=None if proxy is None else _proxy(proxy),
            ca_bundle=_ca_bundle(settings.get("ca_bundle") or _environment("CA_BUNDLE") or profile.ca_bundle),
            hooks=None if hooks is None else GuardedHooks(hooks),
            trace=settings.get("trace"),
            clock=settings.get("clock") or SYSTEM_CLOCK,
        )

    @property
    def base_url(self) -> str:
        """The address in OpenAI's form, ending in `/v1`."""
        return f"{str(self.root).rstrip('/')}/v1"

    def http_options(self) -> dict[str, Any]:
        """The arguments that httpx's two clients share."""
        return {
            "base_url": self.root,
            "auth": self.credential,
            "timeout": self.timeouts.http(),
            "limits": self.limits,
            "proxy": self.proxy,
            "verify": self._verify(),
            # A proxy of the environment cannot reach this machine's own loopback.
            "trust_env": not is_loopback(self.root.host),
        }

    def _verify(self) -> ssl.SSLContext | bool:
        if self.ca_bundle is None:
            return True
        try:
            return ssl.create_default_context(cafile=self.ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"ca_bundle: {self.ca_bundle} cannot be used: {error}; a file of PEM certificates does"
            ) from error


def chosen_profile(name: str | None) -> Profile:
    """The profile of this name, else of `AUTOGLM_PROFILE`'s, else the one called `default`; an empty name is none.

    Raises:
        ConfigError: the file is malformed, or has no profile of this name.
    """
    return Profile() if name == "" else read_profile(name or _environment("PROFILE"))


def given_address(base_url: str | None, profile: Profile) -> str | None:
    """The server's address as the user gave it; None where the local cluster is meant."""
    return base_url or os.environ.get(BASE_URL_VARIABLE, "").strip() or profile.base_url


def server_root(base_url: str) -> httpx.URL:
    """The address without its `/v1`.

    Raises:
        ConfigError: it is no plain http or https address.
    """
    try:
        url = httpx.URL(base_url.strip())
    except httpx.InvalidURL as error:
        raise ConfigError(f"base_url: got {base_url!r}: {error}; {_EXAMPLE}") from error
    if url.userinfo:  # not shown: it may hold a password
        raise ConfigError(f"base_url: got an address with a user name in it; give the key as api_key; {_EXAMPLE}")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise ConfigError(f"base_url: got {base_url!r}; {_EXAMPLE}")
    return url.copy_with(path=url.path.rstrip("/").removesuffix("/v1") or "/")


_EXAMPLE = f"an address such as {DEFAULT_BASE_URL} does"


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _environment(name: str) -> str | None:
    return os.environ.get(f"AUTOGLM_{name}", "").strip() or None


def _credential(api_key: str | None, auth: Credential | None, profile: Profile, root: httpx.URL) -> Credential | None:
    """The argument, else `AUTOGLM_API_KEY`, else the profile's key, else the local key file.

    The profile's key is for the profile's server and the local key for the local cluster: neither is sent to another
    machine unasked.
    """
    if auth is not None and api_key is not None:
        raise ConfigError("auth: got one beside api_key; give the one or the other")
    if auth is not None:
        return auth
    given = api_key if api_key is not None else os.environ.get(API_KEY_VARIABLE, "").strip() or None
    if given is None and profile.api_key is not None and server_root(profile.base_url or DEFAULT_BASE_URL) == root:
        given = profile.api_key.reveal()
    if given is None and is_loopback(root.host):
        given = local_key()
    return None if given is None else ApiKey(given)


def _timeouts(given: Timeouts | float | None, profile: Profile) -> Timeouts:
    if given is not None:
        return Timeouts.of(given)
    if (told := _environment("TIMEOUT")) is None:
        return profile.timeout or Timeouts()
    try:
        return Timeouts.of(float(told))
    except ValueError as error:  # ConfigError is one too
        raise ConfigError(f"AUTOGLM_TIMEOUT: got {told!r}; a positive number of seconds does") from error


def _proxy(address: str) -> httpx.Proxy:
    try:
        return httpx.Proxy(address)
    except (ValueError, httpx.InvalidURL):
        # Not shown, nor as the cause: it may hold a password.
        raise ConfigError("proxy: got no address; one such as http://proxy.example.org:3128 does") from None


def _ca_bundle(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)
