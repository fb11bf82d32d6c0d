"""All live credentials at one moment: what the control plane gives the routers, and all that they need to know."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from autoglm.contract.scope import Scope
from deployments.access.password import verify_password
from deployments.access.principal import Principal
from deployments.access.secret import matches, prefix_of


class View(BaseModel):
    """The base of what a snapshot holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str
    scopes: tuple[Scope, ...]
    models: tuple[str, ...] | None = None


class KeyView(View):
    """A key that was live when the snapshot was taken; `sha256` is its secret's hash, 64 hexadecimal digits."""

    id: str
    prefix: str
    sha256: str = Field(repr=False)
    expires: datetime | None = None

    def principal(self) -> Principal:
        """The caller who has this key."""
        return Principal(kind="key", id=self.id, tenant=self.tenant, scopes=self.scopes, models=self.models)


class UserView(View):
    """A user of HTTP Basic."""

    name: str
    password_hash: str = Field(repr=False)

    def principal(self) -> Principal:
        """The caller who has this user's password."""
        return Principal(kind="user", id=self.name, tenant=self.tenant, scopes=self.scopes, models=self.models)


class Snapshot(BaseModel):
    """Immutable. `epoch` rises with each change of a credential, so that the newer of two is known."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    epoch: int = 0
    keys: tuple[KeyView, ...] = ()
    users: tuple[UserView, ...] = ()

    @cached_property
    def _keys(self) -> dict[str, KeyView]:
        return {key.prefix: key for key in self.keys}

    @cached_property
    def _ids(self) -> dict[str, KeyView]:
        return {key.id: key for key in self.keys}

    @cached_property
    def _users(self) -> dict[str, UserView]:
        return {user.name: user for user in self.users}

    def by_key(self, secret: str, now: datetime) -> Principal | None:
        """The caller with this secret; None for one that is wrong, expired or unknown, all in the same time."""
        key = self._keys.get(prefix_of(secret))
        right = matches(secret, bytes.fromhex(key.sha256) if key else None)
        if key is None or not right or (key.expires is not None and key.expires <= now):
            return None
        return key.principal()

    def by_name(self, kind: str, name: str, now: datetime) -> Principal | None:
        """The key with this id or the user of this name, who is not here to show it; None where it lives no longer."""
        if kind == "user":
            user = self._users.get(name)
            return None if user is None else user.principal()
        key = self._ids.get(name) if kind == "key" else None
        if key is None or (key.expires is not None and key.expires <= now):
            return None
        return key.principal()

    def by_password(self, name: str, password: str) -> Principal | None:
        """The caller with this password; None for a wrong one or an unknown user. Blocks for an argon2 check."""
        user = self._users.get(name)
        right = verify_password(user.password_hash if user else None, password)
        return user.principal() if user is not None and right else None
