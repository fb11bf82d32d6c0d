"""The circuit breaker of a version or a tool: what it admits, what it learns from, how it is held by hand."""

from deployments.breaking.breaker import Breaker
from deployments.breaking.config import BreakerConfig
from deployments.breaking.outcome import counts_as_failure
from deployments.breaking.permit import Permit
from deployments.breaking.transition import Transition

__all__ = ["Breaker", "BreakerConfig", "Permit", "Transition", "counts_as_failure"]
