"""Image classification by a fine-tuned checkpoint (`*ForImageClassification`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autoglm.contract import Prediction
from autoglm.models import labels
from autoglm.models.checkpoint import Source, open_model, quiet
from autoglm.models.image import read_image

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

TOP = 5


class ImageClassifier:
    """A transformers checkpoint with its own image processor, the one that needs Pillow and no torchvision."""

    pass_tokens = None

    def __init__(self, source: Source, declared: Sequence[str] | None) -> None:
        from transformers import AutoImageProcessor

        self._model = open_model(source, "AutoModelForImageClassification")
        with quiet():
            self._processor = AutoImageProcessor.from_pretrained(source, backend="pil")
        names = self._model.config.id2label
        self.labels = labels.match([names[i] for i in range(len(names))], declared)

    def parse(self, item: Any, index: int) -> torch.Tensor:
        """The image as the model's processor makes it, of shape (3, h, w)."""
        return self._processor(images=[read_image(item, index)], return_tensors="pt")["pixel_values"][0]

    def predict(self, parsed: Sequence[torch.Tensor]) -> list[Prediction]:
        """One prediction for each image."""
        return labels.predictions(self.probabilities(parsed), self.labels, top=TOP)

    def probabilities(self, parsed: Sequence[torch.Tensor]) -> NDArray[np.float32]:
        """(n, k), in the order of the labels."""
        import numpy as np
        import torch

        if not parsed:
            return np.empty((0, len(self.labels)), dtype=np.float32)
        with torch.inference_mode():
            logits = self._model(pixel_values=torch.stack(list(parsed)).to(self._model.device)).logits
        return logits.softmax(dim=1).cpu().numpy()

    def tokens(self, parsed: torch.Tensor) -> int:
        """One for each image."""
        return 1
