"""How much a model can be shown, and how much it may write, by the length of its context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoglm.contract.model_list import ModelCard
from deployments.planner.planning.config import ModelPlanning

# An engine refuses a prompt that leaves no room for `max_tokens`. Of a small context half is for the prompt, a quarter
# for the answer, and a quarter for a faulty answer that is shown to be repaired.
ANSWER_SHARE = 4
CHARS_PER_TOKEN = 3  # of tools as they are listed; English has 4 and more
TOKENS_PER_STEP = 100  # with line breaks and indents, as models like to write JSON


@dataclass(frozen=True, slots=True)
class Room:
    """Of one model.

    `prompt`, `repair` and `text`, the longest text in a plan, are characters; `max_tokens` is the answer's length, and
    `steps` those that it has room for.
    """

    prompt: int
    repair: int
    text: int
    max_tokens: int
    steps: int

    @classmethod
    def of(cls, config: ModelPlanning, models: Sequence[ModelCard], model: str) -> Room:
        """As much as is configured, and as the model's card has room for, where that says."""
        context = next((card.max_model_len for card in models if card.id == model), None)
        max_tokens = config.max_tokens if context is None else min(config.max_tokens, context // ANSWER_SHARE)
        left = config.max_prompt_chars if context is None else (context - 2 * max_tokens) * CHARS_PER_TOKEN
        is_small = max_tokens < config.max_tokens
        return cls(
            prompt=min(config.max_prompt_chars, left),
            repair=max_tokens * CHARS_PER_TOKEN,
            # What a small model repeats without end takes up to a token a character, and must come to an end in time.
            text=max_tokens * 3 // 4 if is_small else max_tokens * 4,
            max_tokens=max_tokens,
            steps=min(config.max_steps, max(1, max_tokens // TOKENS_PER_STEP)),
        )
