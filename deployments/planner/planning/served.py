"""What a caller's models and tasks are for, by their cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from autoglm.contract.model_list import ModelCard
from autoglm.contract.plan import StepKind
from deployments.planner.planning.rules import ServedNames

# By what a card's `task` says; an embedding model's vectors are no use to a plan.
KINDS: Mapping[str, StepKind] = MappingProxyType(
    {
        "text-generation": "model",
        "text-classification": "task",
        "zero-shot-classification": "task",
        "image-classification": "task",
        "tabular-classification": "task",
        "tabular-regression": "task",
    }
)
IRIS = "iris"
SENTIMENTS = frozenset({"positive", "negative"})


def chat_model(cards: Sequence[ModelCard], name: str | None) -> str | None:
    """The model of this name, or where none is named the first that generates text; None where there is none."""
    models = (card.id for card in cards if KINDS.get(card.task or "") == "model" and name in (None, card.id))
    return next(models, None)


def served_names(cards: Sequence[ModelCard], model: str | None) -> ServedNames:
    """What rules may call: the task that tells positive texts from negative ones, the iris task, a chat model."""
    sentiments = (
        card.id for card in cards if card.task == "text-classification" and set(card.labels or ()) >= SENTIMENTS
    )
    irises = (card.id for card in cards if card.task == "tabular-classification" and card.id == IRIS)
    return ServedNames(next(sentiments, None), next(irises, None), chat_model(cards, model))
