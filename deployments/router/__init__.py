"""The entry of every request: routes, targets, limits, aggregation."""

from deployments.router.answer import Answer
from deployments.router.config import Limits, Route, RouterConfig
from deployments.router.router import EMBEDDING, GENERATING, PREDICTING, Router
from deployments.router.targets import Connect

__all__ = ["EMBEDDING", "GENERATING", "PREDICTING", "Answer", "Connect", "Limits", "Route", "Router", "RouterConfig"]
