"""Semantic routing: `model: "auto"` and `task: auto` choose by the examples of each route."""

from deployments.router.semantic.config import RoutingConfig, RoutingRules, SemanticRoute
from deployments.router.semantic.encoder import Encoder, load_encoder
from deployments.router.semantic.index import RouteIndex
from deployments.router.semantic.text import text_of

__all__ = ["Encoder", "RouteIndex", "RoutingConfig", "RoutingRules", "SemanticRoute", "load_encoder", "text_of"]
