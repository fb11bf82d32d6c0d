"""How the router treats one target: part of the file's `models` and `tasks`, and of the routes made from them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from deployments.breaking import BreakerConfig
from deployments.router.balancing import BalancingConfig
from deployments.router.retries import RetryConfig
from deployments.router.shedding import LoadSheddingConfig


class Frozen(BaseModel):
    """The base of the routing state: unknown keys refused, values fixed."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class OtherModel(Frozen):
    """Another model or task answers."""

    model: str


class OtherVersion(Frozen):
    """Another version of the same model answers."""

    version: str


class CachedAnswer(Frozen):
    """An answer to the same request that is past its time in the cache, up to `cached_s` seconds."""

    cached_s: float = Field(gt=0)


class FixedAnswer(Frozen):
    """A text that is always there; of a classification, the label."""

    answer: str = Field(min_length=1)


def named(declared: Any) -> Any:
    """A bare name is another model's."""
    return {"model": declared} if isinstance(declared, str) else declared


Fallback = Annotated[OtherModel | OtherVersion | CachedAnswer | FixedAnswer, BeforeValidator(named)]


class HedgingConfig(Frozen):
    """A whole answer that is not there after `after_s` is asked of a second replica too; the first one counts.

    Dean and Barroso, "The Tail at Scale" (CACM 2013). A hedge is paid from the retry pool, so it cannot storm.
    """

    after_s: float = Field(gt=0)


class TargetPolicy(Frozen):
    """Everything between the router and a target's replicas. Fallbacks are tried in their order."""

    balancing: BalancingConfig = BalancingConfig()
    breaker: BreakerConfig = BreakerConfig()
    retries: RetryConfig = RetryConfig()
    shedding: LoadSheddingConfig = LoadSheddingConfig()
    hedging: HedgingConfig | None = None
    fallbacks: tuple[Fallback, ...] = ()
