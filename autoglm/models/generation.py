"""Text generation in-process, for one's own machine; a cluster generates with vLLM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autoglm.errors import UnprocessableEntityError
from autoglm.models.buckets import map_buckets
from autoglm.models.checkpoint import Source, max_tokens, open_model, open_tokenizer
from autoglm.models.text import check_text

MAX_NEW_TOKENS = 128


class Generator:
    """Greedy decoding: the same prompt gives the same text. A chat model gets the prompt as its user's turn."""

    pass_tokens = None
    labels = None

    def __init__(self, source: Source) -> None:
        self._tokenizer = open_tokenizer(source)
        self._model = open_model(source, "AutoModelForCausalLM")
        self._limit = max_tokens(source, self._tokenizer, self._model.config) - MAX_NEW_TOKENS
        self._filler = self._tokenizer.pad_token_id or 0

    def parse(self, item: Any, index: int) -> list[int]:
        """The prompt's token ids. A prompt cut short asks something else, so one that does not fit is refused.

        Raises UnprocessableEntityError where it is longer than the model's context.
        """
        prompt = self._template(check_text(item, index))
        if len(prompt) > self._limit:
            raise UnprocessableEntityError(
                f"inputs[{index}]: got {len(prompt)} tokens; with {MAX_NEW_TOKENS} to be generated, "
                f"the model takes {self._limit}",
                param=f"inputs[{index}]",
            )
        return prompt

    def predict(self, parsed: Sequence[list[int]]) -> list[str]:
        """One text for each prompt, without the prompt, of at most `MAX_NEW_TOKENS` tokens."""
        return map_buckets(parsed, self._generate)

    def tokens(self, parsed: list[int]) -> int:
        """How many tokens the prompt has."""
        return len(parsed)

    def _template(self, text: str) -> list[int]:
        if self._tokenizer.chat_template is None:
            return list(self._tokenizer(text)["input_ids"])
        turns = [{"role": "user", "content": text}]
        return list(
            self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)["input_ids"]
        )

    def _generate(self, rows: list[Sequence[int]]) -> list[str]:
        import torch

        longest = max(len(row) for row in rows)
        ids = torch.tensor([[*[self._filler] * (longest - len(row)), *row] for row in rows], device=self._model.device)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=self._model.device)
        with torch.inference_mode():
            written = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=False,
                max_new_tokens=MAX_NEW_TOKENS,
                pad_token_id=self._filler,
            )
        return [str(text) for text in self._tokenizer.batch_decode(written[:, longest:], skip_special_tokens=True)]
