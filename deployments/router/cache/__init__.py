"""Answers that need not be computed again: kept in memory and Redis, and shared while they are computed."""

from deployments.router.cache.answer import Answer, Computed, Started
from deployments.router.cache.config import CacheConfig
from deployments.router.cache.directives import ANYTHING, CacheDirectives, directives_of
from deployments.router.cache.fingerprint import Key, fingerprint, is_deterministic, key_of
from deployments.router.cache.response_cache import ResponseCache
from deployments.router.cache.semantic import Embed, Question, SemanticConfig, question_of
from deployments.router.cache.status import CacheStatus

__all__ = [
    "ANYTHING",
    "CacheConfig",
    "CacheDirectives",
    "CacheStatus",
    "Answer",
    "Computed",
    "Embed",
    "Key",
    "Question",
    "ResponseCache",
    "SemanticConfig",
    "Started",
    "directives_of",
    "fingerprint",
    "is_deterministic",
    "key_of",
    "question_of",
]
