"""An OpenAPI document whose operations become tools: the `openapi` of an entry under `tools:`."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from deployments.tools.net.config import OutgoingConfig
from deployments.tools.net.endpoint import declared_url
from deployments.tools.secrets import SecretReference


class OpenApiConfig(OutgoingConfig):
    """`document` is a YAML or JSON file, or its address; written as a string, it is the document alone.

    Requests go to `base_url`, else to the document's first server, which for a document from an address must be on
    the same host or on one of `allow_hosts`. `auth` gives the credential of each security scheme by the scheme's name
    (of `basic`, `user:password`; of OAuth 2 and OpenID Connect, a token). `operations` names those that are wanted, by
    operationId or as `GET /path/{id}`, and `tags` adds all that bear one; without either all become tools.
    """

    document: str = Field(min_length=1, max_length=4096)
    base_url: str | None = None
    auth: dict[str, SecretReference] = Field(default_factory=dict, max_length=50)
    operations: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=1000)
    tags: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        return {"document": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        if self.is_remote:
            declared_url("document", self.document, allow_http=self.allow_http)
        if self.base_url is not None:
            url = declared_url("base_url", self.base_url, allow_http=self.allow_http)
            if url.query:
                raise ValueError("base_url: got an address with a query; each operation has its own")
        return self

    @property
    def is_remote(self) -> bool:
        """Whether the document is fetched from an address."""
        return "://" in self.document


def joined_openapi(entry: Any) -> Any:
    """An entry as it is written, with a `base_url` that stands beside `openapi` moved into it.

    For a `before` validator of the entry's model: `{openapi: crm.yaml, base_url: …}` is the short form of
    `{openapi: {document: crm.yaml, base_url: …}}`.
    """
    if not isinstance(entry, dict) or entry.get("base_url") is None or "openapi" not in entry:
        return entry
    openapi = entry["openapi"]
    section = {"document": openapi} if isinstance(openapi, str) else openapi
    if not isinstance(section, dict) or "base_url" in section:
        return entry
    rest = {name: value for name, value in entry.items() if name != "base_url"}
    return {**rest, "openapi": {**section, "base_url": entry["base_url"]}}
