"""Who calls: the `Authorization` header of a request as a Principal."""

from __future__ import annotations

import time
from collections.abc import Callable

from autoglm.contract.scope import Scope
from autoglm.errors import APIStatusError, AuthenticationError, RateLimitError
from deployments.access import basic
from deployments.access.attempts import Attempts
from deployments.access.basic import Passwords
from deployments.access.config import AccessConfig, Method
from deployments.access.jwt import ForgedTokenError, JwtVerifier
from deployments.access.principal import Principal
from deployments.access.room import Room
from deployments.access.secret import digest, matches
from deployments.access.snapshot import Snapshot
from deployments.clock import Clock, utc_now

LOCAL = Principal(
    kind="local",
    id="local",
    tenant="default",
    scopes=tuple(Scope(name) for name in ("chat", "predict", "embed", "tasks", "approve", "tools:*", "admin")),
)
FORMS: dict[Method, str] = {
    "api_key": "'Bearer KEY'",
    "basic": "'Basic NAME:PASSWORD', the pair in base64",
    "jwt": "'Bearer TOKEN', a JWT",
}


class Authenticator:
    """Knows the callers of one router replica: its memory alone decides, and at most an issuer's keys are fetched.

    An address that failed too often gets 429 for each further guess, and its passwords are not tried, not even right
    ones: they can be guessed, and each try costs 20 ms of a core. A right API key or JWT still passes from there, since
    256 random bits or a signature cannot be guessed, and many callers may share one address (a proxy, an office): one
    of them who guesses must not lock all the others out. A token that the issuer signed and that has expired is no
    guess: it gets its 401, by which a client knows to fetch another.
    """

    def __init__(
        self,
        config: AccessConfig,
        *,
        local_key: str,
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not local_key:
            raise ValueError("local_key: got an empty one, which any caller has; a random one does")
        self._methods = config.auth
        self._local = digest(local_key)
        self._clock = clock
        self._monotonic = monotonic
        self._attempts = Attempts(config.failed_attempts_per_minute, monotonic)
        self._verifier = JwtVerifier(config.jwt, clock=clock, monotonic=monotonic) if config.jwt else None
        self._room = Room()
        self._snapshot = Snapshot()
        self._passwords = self._passwords_of(self._snapshot)

    @property
    def challenges(self) -> str:
        """The value of `WWW-Authenticate` in a 401."""
        return 'Bearer, Basic realm="autoglm"' if "basic" in self._methods else "Bearer"

    def update(self, snapshot: Snapshot) -> None:
        """Decide by this snapshot from now on.

        The last one given counts, whatever its epoch: a database that was restored from a backup begins again at a
        lower one, and who gives them gives them in order. Passwords checked before are forgotten when a user changed.
        """
        if snapshot.users != self._snapshot.users:
            self._passwords = self._passwords_of(snapshot)
        self._snapshot = snapshot

    async def authenticate(self, header: str | None, address: str) -> Principal:
        """The caller who sent this `Authorization` header from this address.

        Raises:
            AuthenticationError: no credential, of a kind that is not taken, or a wrong one.
            RateLimitError: the address failed too often; `retry_after` says how long that lasts.
            UnavailableError: the check cannot be made at the moment.
        """
        scheme, _, credential = (header or "").partition(" ")
        credential = credential.strip()
        if not credential:
            raise AuthenticationError(
                "authorization: no key was sent; send 'Authorization: Bearer KEY', "
                "where KEY is in the file that `python -m serve_app up` names",
                param="authorization",
            )
        if scheme.lower() == "bearer":
            return await self._bearer(credential, address)
        if scheme.lower() == "basic":
            return await self._basic(credential, address)
        raise self._not_taken("this scheme is not known")

    async def aclose(self) -> None:
        """End the checks and fetches that are under way."""
        await self._room.aclose()
        if self._verifier is not None:
            await self._verifier.aclose()

    async def _bearer(self, credential: str, address: str) -> Principal:
        # Both, whatever the credential looks like: the time tells neither its kind nor whether a prefix exists.
        local = matches(credential, self._local)
        known = self._snapshot.by_key(credential, self._clock())
        if local:
            return LOCAL
        if credential.count(".") == 2:
            return await self._token(credential, address)
        if "api_key" not in self._methods:
            raise self._refusal(address, self._not_taken("API keys are not taken here"))
        if known is None:
            raise self._refusal(
                address, AuthenticationError("authorization: the key is not valid", param="authorization")
            )
        return known

    async def _token(self, token: str, address: str) -> Principal:
        if self._verifier is None:
            raise self._refusal(address, self._not_taken("JWTs are not taken here"))
        try:
            return await self._verifier.verify(token)
        except ForgedTokenError as error:
            raise self._refusal(address, error) from None

    async def _basic(self, credential: str, address: str) -> Principal:
        if "basic" not in self._methods:
            raise self._not_taken("passwords are not taken here")
        name, password = basic.parse(credential)
        caller = await self._passwords.check(name, password, address)
        if caller is None:
            raise AuthenticationError("authorization: user or password is not right", param="authorization")
        return caller

    def _passwords_of(self, snapshot: Snapshot) -> Passwords:
        return Passwords(snapshot, self._room, self._attempts, self._monotonic)

    def _refusal(self, address: str, error: AuthenticationError) -> APIStatusError:
        """The error itself, counted; 429 in its place for an address that failed too often."""
        try:
            self._attempts.admit(address)
        except RateLimitError as limited:
            return limited
        self._attempts.failed(address)
        return error

    def _not_taken(self, what: str) -> AuthenticationError:
        forms = " or ".join(FORMS[method] for method in self._methods)
        return AuthenticationError(f"authorization: {what}; send {forms}", param="authorization")
