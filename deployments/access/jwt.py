"""JSON Web Tokens of an issuer whose public keys are known."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx
from jwt import PyJWS, PyJWTError
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from autoglm.errors import AuthenticationError
from deployments.access import claims
from deployments.access.claims import Claims
from deployments.access.jwks import Algorithm
from deployments.access.key_source import FileKeys, KeySource, UrlKeys
from deployments.access.principal import Principal

MAX_TOKEN = 16 * 1024  # characters


class JwtConfig(BaseModel):
    """Whose tokens are taken, and which of their claims say what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jwks_file: Path | None = None
    jwks_url: str | None = None
    issuer: str | None = Field(default=None, min_length=1)
    audience: str = Field(min_length=1)
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "ES256", "EdDSA"), min_length=1)
    leeway_s: float = Field(default=30, ge=0, le=300)
    scope_claim: str = Field(default="scope", min_length=1)
    tenant_claim: str = Field(default="tenant", min_length=1)
    models_claim: str = Field(default="models", min_length=1)

    @field_validator("jwks_file")
    @classmethod
    def _found_everywhere(cls, path: Path | None) -> Path | None:
        """Seen from the working directory of who reads the configuration; a replica has another."""
        return None if path is None else path.expanduser().absolute()

    @field_validator("jwks_url")
    @classmethod
    def _private_on_the_way(cls, url: str | None) -> str | None:
        """Whoever can change the keys on the way can make any token."""
        if url is not None and not is_safe(url):
            raise ValueError("must begin with https://, or http:// for a loopback address, and hold no password")
        return url

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.jwks_file is None) == (self.jwks_url is None):
            raise ValueError("exactly one of jwks_file and jwks_url does: it has the issuer's public keys")
        return self

    def claim_names(self) -> dict[str, str]:
        """How the issuer calls the claims that no standard names."""
        return {"scope": self.scope_claim, "tenant": self.tenant_claim, "models": self.models_claim}


class ForgedTokenError(AuthenticationError):
    """401: nothing shows that the issuer made the token; a guess, where an expired one is none."""


class JwtVerifier:
    """Takes a token that one of the issuer's keys signed, by that key's own algorithm, and that is meant for here.

    Of the header, `alg` and `kid` alone are read: keys that a token brings along or points to (`jwk`, `jku`, `x5c`,
    `x5u`) are never looked at.
    """

    def __init__(
        self,
        config: JwtConfig,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        keys: KeySource | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._keys = keys or source(config, monotonic)
        self._jws = PyJWS()

    async def verify(self, token: str) -> Principal:
        """The caller.

        Raises:
            ForgedTokenError: it is no token, or none of the issuer's.
            AuthenticationError: it is the issuer's, and not valid here or now. No message shows anything of it.
            UnavailableError: the issuer's keys could not be read yet.
        """
        payload = await self._payload(token)
        try:
            said = claims.read(payload, self._config.claim_names())
        except ValueError as error:
            raise AuthenticationError(invalid(str(error)), param="authorization") from None
        if fault := self._fault(said):
            raise AuthenticationError(invalid(fault), param="authorization")
        models = None if said.models is None else tuple(said.models)
        return Principal(
            kind="token",
            id=said.sub,
            tenant=said.tenant,
            scopes=said.scopes(),
            models=models,
            expires=said.exp + self._config.leeway_s,
        )

    async def aclose(self) -> None:
        """End what runs in the background."""
        await self._keys.aclose()

    async def _payload(self, token: str) -> bytes:
        """What the issuer signed."""
        header = self._header(token)
        if header.get("alg") not in self._config.algorithms:
            raise forged("its algorithm is not one of " + ", ".join(self._config.algorithms))
        if "crit" in header:
            raise forged("its header has critical extensions, and none is known here")
        key = await self._keys.find(header.get("kid"))
        if key is None:
            raise forged("its key ('kid') is not one of the issuer's")
        try:
            payload: bytes = self._jws.decode(token, key, algorithms=[key.algorithm_name])
        except PyJWTError:
            raise forged("its signature is not right") from None
        return payload

    def _header(self, token: str) -> dict[str, Any]:
        """What the token says of itself: nothing to trust, only to find the key by."""
        if len(token) > MAX_TOKEN or not token.isascii():
            raise forged(f"it is longer than {MAX_TOKEN} characters, or not ASCII")
        try:
            return self._jws.get_unverified_header(token)
        except PyJWTError:
            raise forged("it is malformed") from None

    def _fault(self, said: Claims) -> str | None:
        """Why claims that are well formed do not open this door now."""
        now, leeway = self._clock().timestamp(), self._config.leeway_s
        if said.exp + leeway <= now:
            return "it has expired"
        if max(said.nbf, said.iat) - leeway > now:
            return "it is not valid yet"
        if self._config.issuer is not None and said.iss != self._config.issuer:
            return "it is another issuer's"
        if self._config.audience not in said.audiences():
            return "it is for another audience"
        return None


def source(config: JwtConfig, monotonic: Callable[[], float]) -> KeySource:
    """Where the configuration has the keys."""
    if config.jwks_file is not None:
        return FileKeys(config.jwks_file, config.algorithms, monotonic=monotonic)
    return UrlKeys(str(config.jwks_url), config.algorithms, monotonic=monotonic)


def is_safe(url: str) -> bool:
    """Whether nobody on the way can change what the URL answers."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    if not parsed.host or parsed.userinfo:
        return False
    return parsed.scheme == "https" or (parsed.scheme == "http" and is_loopback(parsed.host))


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def forged(reason: str) -> ForgedTokenError:
    """The refusal of what may be anybody's."""
    return ForgedTokenError(invalid(reason), param="authorization")


def invalid(reason: str) -> str:
    """The one form of all refusals of a token."""
    return f"authorization: the token is not valid: {reason}"
