"""The circuit breaker of a target version: what it admits, what it learns from, how it is held by hand."""

from deployments.router.breaking.breaker import Breaker
from deployments.router.breaking.config import BreakerConfig
from deployments.router.breaking.outcome import counts_as_failure
from deployments.router.breaking.permit import Permit
from deployments.router.breaking.transition import Transition

__all__ = ["Breaker", "BreakerConfig", "Permit", "Transition", "counts_as_failure"]
