"""The entry of every request: routes, cache, targets with their breakers and gates, fallbacks, aggregation."""

from deployments.router.auto import AUTO
from deployments.router.balancing import balanced_handle
from deployments.router.cache import Answer, CacheConfig, directives_of
from deployments.router.call import Call
from deployments.router.config import HeldBreaker, Limits, Route, RouterConfig
from deployments.router.deadline import Deadline
from deployments.router.metrics import Exporter
from deployments.router.policy import TargetPolicy
from deployments.router.router import EMBEDDING, GENERATING, PREDICTING, Router
from deployments.router.shedding import Priority
from deployments.router.targets import Connect

__all__ = [
    "AUTO",
    "EMBEDDING",
    "GENERATING",
    "PREDICTING",
    "Answer",
    "CacheConfig",
    "Call",
    "Connect",
    "Deadline",
    "Exporter",
    "HeldBreaker",
    "Limits",
    "Priority",
    "Route",
    "Router",
    "RouterConfig",
    "TargetPolicy",
    "balanced_handle",
    "directives_of",
]
