"""vLLM replicas: one deployment for each version of a generating model."""

from deployments.llm.config import LLMVersion
from deployments.llm.deployment import LLM

__all__ = ["LLM", "LLMVersion"]
