"""Text classification by a fine-tuned checkpoint (`*ForSequenceClassification`)."""

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


class SequenceClassifier:
    """The checkpoint's own head decides; its labels are `id2label`'s."""

    pass_tokens = None

    def __init__(self, source: Source, declared: Sequence[str] | None) -> None:
        self._tokenizer = open_tokenizer(source)
        self._model = open_model(source, "AutoModelForSequenceClassification")
        self._limit = max_tokens(source, self._tokenizer, self._model.config)
        names = self._model.config.id2label
        self.labels = labels.match([names[i] for i in range(len(names))], declared)

    def parse(self, item: Any, index: int) -> list[int]:
        """The text's token ids, cut to what the model reads."""
        text = check_text(item, index)
        return list(self._tokenizer(text, truncation=True, max_length=self._limit)["input_ids"])

    def predict(self, parsed: Sequence[list[int]]) -> list[Prediction]:
        """One prediction for each text."""
        return labels.predictions(self.probabilities(parsed), self.labels)

    def probabilities(self, parsed: Sequence[list[int]]) -> NDArray[np.float32]:
        """(n, k), in the order of the labels."""
        import numpy as np

        logits = np.array(map_buckets(parsed, self._logits), dtype=np.float32)
        return labels.softmax(logits.reshape(len(parsed), len(self.labels)))

    def tokens(self, parsed: list[int]) -> int:
        """How many tokens the text has, as the model reads it."""
        return len(parsed)

    def _logits(self, rows: list[Sequence[int]]) -> NDArray[np.float32]:
        import torch

        ids, mask = pad(rows, self._tokenizer.pad_token_id or 0, self._model.device)
        with torch.inference_mode():
            return self._model(input_ids=ids, attention_mask=mask).logits.cpu().numpy()
