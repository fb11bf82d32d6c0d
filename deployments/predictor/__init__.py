"""Replicas of the adapters in autoglm.models, under `@serve.batch`."""

from deployments.predictor.deployment import Predictor

__all__ = ["Predictor"]
