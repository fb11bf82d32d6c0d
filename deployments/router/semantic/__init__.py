"""Semantic routing: `model: "auto"` and `task: auto` choose by the examples of each route."""

from deployments.router.semantic.config import RoutingConfig, RoutingRules, SemanticRoute
from deployments.router.semantic.index import RouteIndex
from deployments.router.semantic.text import text_of

__all__ = ["RouteIndex", "RoutingConfig", "RoutingRules", "SemanticRoute", "text_of"]
