"""`/admin/v1/keys`: API keys. A secret crosses the wire once, when its key is made."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.field import Label, ModelName, Moment, Slug
from autoglm.contract.scope import Scope


class KeyRequest(RequestModel):
    """A key to be made. `models: null` allows all models; without `expires` it lives until it is revoked."""

    name: Label
    tenant: Slug = "default"
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=100)
    models: tuple[ModelName, ...] | None = Field(default=None, max_length=100)
    expires: Moment | None = None


class KeyCard(ResponseModel):
    """A key as it is listed; `prefix` is how its secret begins, after `ag_`."""

    id: str
    prefix: str
    name: str
    tenant: str
    scopes: tuple[Scope, ...]
    models: tuple[str, ...] | None = None
    created: Moment
    expires: Moment | None = None
    revoked: Moment | None = None


class KeyCreated(KeyCard):
    """A new key with its secret, which is shown here and never again."""

    model_config = ConfigDict(hide_input_in_errors=True)  # one that cannot be read still holds a secret

    secret: str = Field(repr=False)


class KeyList(ResponseModel):
    """Keys, the newest first; `has_more` says that there are others after the last."""

    data: tuple[KeyCard, ...]
    has_more: bool = False
