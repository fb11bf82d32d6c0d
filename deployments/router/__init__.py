"""The entry of every request: routes, targets, limits, aggregation."""

from deployments.router.answer import Answer
from deployments.router.config import Limits, Route, RouterConfig
from deployments.router.router import Router

__all__ = ["Answer", "Limits", "Route", "Router", "RouterConfig"]
