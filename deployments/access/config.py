"""Who may enter: the `security` section of the cluster's file."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deployments.access.jwt import JwtConfig

Method = Literal["api_key", "basic", "jwt"]


class AccessConfig(BaseModel):
    """By which methods, besides the local key, which is always taken; and how often an address may fail.

    `failed_attempts_per_minute` is counted by each router replica on its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    auth: tuple[Method, ...] = Field(default=("api_key", "basic"), min_length=1)
    jwt: JwtConfig | None = None
    failed_attempts_per_minute: int = Field(default=20, ge=1)

    @model_validator(mode="after")
    def _jwt_declared(self) -> Self:
        if "jwt" in self.auth and self.jwt is None:
            raise ValueError("auth lists 'jwt', so jwt is required: {jwks_file or jwks_url, audience}")
        if self.jwt is not None and "jwt" not in self.auth:
            raise ValueError("jwt is declared, and auth does not list 'jwt'; add it there, or take jwt away")
        return self
