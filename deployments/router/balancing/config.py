"""How replicas are chosen, for each model or task."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deployments.router.balancing.ejection import EjectionConfig
from deployments.router.balancing.prober import ProbeConfig

Policy = Literal["power_of_two", "round_robin", "least_outstanding", "weighted", "consistent_hash", "prefix_affinity"]


class BalancingConfig(BaseModel):
    """The policy, and the guards that every policy has.

    `hash_on` is for consistent hashing. `weights` go by a replica's availability zone or the IP address of its node,
    which are what Serve tells and an operator knows beforehand; a replica of neither weighs 1. `prefix_blocks` is how
    many blocks of prompts are remembered for each replica (see `prefix`). New replicas take `slow_start_s` seconds to
    get their full share; under consistent hashing they get it at once, as a key would else not keep its replica.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Policy = "power_of_two"
    hash_on: Literal["session", "key", "address"] = "session"
    weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}
    prefix_blocks: int = Field(default=8192, ge=1)
    ejection: EjectionConfig = EjectionConfig()
    slow_start_s: float = Field(default=10.0, ge=0, allow_inf_nan=False)
    probe: ProbeConfig = ProbeConfig()

    @model_validator(mode="after")
    def _weights_where_they_count(self) -> Self:
        if (self.policy == "weighted") != bool(self.weights):
            raise ValueError(
                f"weights: got {len(self.weights)} with the policy {self.policy!r}; the policy 'weighted' needs them, "
                "by availability zone or node address, and no other takes them"
            )
        return self
