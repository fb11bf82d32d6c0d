"""Zero-shot classification: which label a generating model finds the likeliest answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autoglm.contract import Prediction
from autoglm.models import labels
from autoglm.models.buckets import map_buckets
from autoglm.models.checkpoint import Source, max_tokens, open_model, open_tokenizer
from autoglm.models.encoder import pad
from autoglm.models.text import check_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONTENT_FREE = "N/A"


class ZeroShotClassifier:
    """Scores a label by log p(label | text) - log p(label | "N/A").

    The second term takes away the model's liking for a label whatever the text
    (contextual calibration, Zhao et al., 2021, "Calibrate Before Use").
    """

    pass_tokens = None

    def __init__(self, source: Source, declared: Sequence[str] | None) -> None:
        self.labels = labels.require(declared)
        self._tokenizer = open_tokenizer(source)
        self._model = open_model(source, "AutoModelForCausalLM")
        question = f"Classify the text. Answer with one of: {', '.join(self.labels)}.\n\nText: "
        self._before = self._ids(question, start=True)
        self._after = self._ids("\n\nAnswer:")
        self._answers = [self._ids(f" {label}") for label in self.labels]
        fixed = len(self._before) + len(self._after) + max(len(answer) for answer in self._answers)
        self._limit = max_tokens(source, self._tokenizer, self._model.config) - fixed
        self._prior = self._likelihoods([self._prompt(self._ids(CONTENT_FREE))])[0]

    def parse(self, item: Any, index: int) -> list[int]:
        """The prompt's token ids; a long text is cut so that the question stays whole."""
        return self._prompt(self._ids(check_text(item, index))[: self._limit])

    def predict(self, parsed: Sequence[list[int]]) -> list[Prediction]:
        """One prediction for each text."""
        return labels.predictions(self.probabilities(parsed), self.labels)

    def probabilities(self, parsed: Sequence[list[int]]) -> NDArray[np.float32]:
        """(n, k), in the order of the labels."""
        import numpy as np

        likelihoods = np.array(map_buckets(parsed, self._likelihoods), dtype=np.float32)
        return labels.softmax(likelihoods.reshape(len(parsed), len(self.labels)) - self._prior)

    def tokens(self, parsed: list[int]) -> int:
        """How many tokens the prompt has."""
        return len(parsed)

    def _prompt(self, text: list[int]) -> list[int]:
        return [*self._before, *text, *self._after]

    def _ids(self, text: str, *, start: bool = False) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=start)["input_ids"])

    def _likelihoods(self, prompts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """(n, k) log-likelihoods of the k answers after each of the n prompts."""
        import numpy as np

        return np.stack([self._likelihood(prompts, answer) for answer in self._answers], axis=1)

    def _likelihood(self, prompts: Sequence[Sequence[int]], answer: list[int]) -> NDArray[np.float32]:
        import torch

        rows = [[*prompt, *answer] for prompt in prompts]
        ids, mask = pad(rows, 0, self._model.device)  # a causal model sees no padding on its right
        # Position p predicts token p + 1, so the answer's tokens are read one place before they stand.
        places = torch.tensor([range(len(row) - len(answer) - 1, len(row) - 1) for row in rows], device=ids.device)
        with torch.inference_mode():
            hidden = self._model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
            chosen = hidden.gather(1, places.unsqueeze(2).expand(-1, -1, hidden.shape[2]))
            odds = self._model.get_output_embeddings()(chosen).log_softmax(dim=2)
            target = torch.tensor(answer, device=ids.device).expand(len(rows), -1).unsqueeze(2)
            return odds.gather(2, target).sum(dim=(1, 2)).cpu().numpy()
