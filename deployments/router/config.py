"""The routing state that the router holds in memory, as `user_config` brings it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field, model_validator

from autoglm.contract import TaskType
from autoglm.contract.price import Price
from deployments.router.cache import CacheConfig
from deployments.router.policy import Frozen, TargetPolicy
from deployments.router.semantic import RoutingConfig

UNKNOWN_MODEL_LEN = 4096


class Limits(Frozen):
    """What one request may bring, and how much may wait."""

    max_inputs: int = Field(default=2048, ge=1)
    max_text_chars: int = Field(default=100_000, ge=1)
    max_waiting_inputs: int = Field(default=16_384, ge=1)
    request_timeout_s: float = Field(default=600, gt=0, allow_inf_nan=False)  # of who names none, and the most

    @model_validator(mode="after")
    def _room_for_one_request(self) -> Self:
        if self.max_waiting_inputs < self.max_inputs:
            raise ValueError(
                f"max_waiting_inputs ({self.max_waiting_inputs}) is below max_inputs ({self.max_inputs}), "
                "so a request of that many could never be taken"
            )
        return self


class Route(Frozen):
    """One model or task: what it does and the Serve deployment that does it."""

    name: str
    task: TaskType
    model: str
    version: str
    app: str
    deployment: Literal["llm", "predictor"]
    labels: tuple[str, ...] | None = None
    max_batch_size: int = Field(default=32, ge=1)
    batch_wait_timeout_s: float = Field(default=0.01, ge=0, le=10)  # while the model is busy
    max_replicas: int = Field(default=1, ge=1)
    price: Price = Price()
    max_model_len: int | None = Field(default=None, ge=1)  # tokens of a prompt and its answer, where that is known
    policy: TargetPolicy = TargetPolicy()

    @property
    def max_completion_tokens(self) -> int:
        """What an answer is reckoned with at most."""
        return self.max_model_len or UNKNOWN_MODEL_LEN

    @property
    def build(self) -> str:
        """What tells its answers from those of another: a version that got another source is another build."""
        return f"{self.version} of {self.model}"

    @property
    def is_text(self) -> bool:
        """Whether its inputs are texts; images come as text too, and are none."""
        return self.task.startswith(("text", "zero-shot"))


class HeldBreaker(Frozen):
    """A breaker that an operator holds."""

    name: str
    version: str
    state: Literal["open", "closed"]


class RouterConfig(Frozen):
    """All routes, in the order of the file that declared them; of several of a name the first is asked."""

    routes: tuple[Route, ...] = ()
    limits: Limits = Limits()
    cache: CacheConfig = CacheConfig()
    routing: RoutingConfig = RoutingConfig()

    def with_routes(self, added: Iterable[Route]) -> RouterConfig:
        """The same with more routes; one of a known name comes before it, at its price and under its policy."""
        new = {route.name: route for route in added}
        routes: list[Route] = []
        for route in self.routes:
            if (newer := new.pop(route.name, None)) is not None:
                routes.append(newer.model_copy(update={"price": route.price, "policy": route.policy}))
            if not any((route.name, route.version) == (known.name, known.version) for known in routes):
                routes.append(route)
        return self.model_copy(update={"routes": (*routes, *new.values())})
