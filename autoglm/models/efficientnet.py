"""Image classification by EfficientNet-lite0 (Tan and Le, 2019; ImageNet-1k)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglm.contract import Prediction
from autoglm.models import labels
from autoglm.models.checkpoint import device
from autoglm.models.image import read_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE = 224  # pixels
CROP = 0.875  # the part of the shorter side that is kept, as in the model's own evaluation
TOP = 5


class EfficientNetClassifier:
    """The embedded image model; `scores` holds the five likeliest of the thousand names."""

    pass_tokens = None

    def __init__(self, folder: Path, declared: Sequence[str] | None) -> None:
        from efficientnet_lite_pytorch import EfficientNet
        from safetensors.torch import load_file

        self.labels = labels.match(json.loads((folder / "labels.json").read_text()), declared)
        self._model = EfficientNet.from_name("efficientnet-lite0")
        self._model.load_state_dict(load_file(folder / "model.safetensors"))
        self._model.eval().to(device())

    def parse(self, item: Any, index: int) -> NDArray[np.uint8]:
        """The image's middle as uint8 of shape (224, 224, 3)."""
        import numpy as np
        from PIL import Image

        image = read_image(item, index)
        kept = CROP * min(image.size)
        left, top = (image.width - kept) / 2, (image.height - kept) / 2
        box = (left, top, left + kept, top + kept)
        return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))

    def predict(self, parsed: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        """One prediction for each image."""
        return labels.predictions(self.probabilities(parsed), self.labels, top=TOP)

    def probabilities(self, parsed: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 1000), in the order of the labels."""
        import numpy as np
        import torch

        if not parsed:
            return np.empty((0, len(self.labels)), dtype=np.float32)
        pixels = torch.from_numpy(np.stack(parsed)).permute(0, 3, 1, 2).to(device(), torch.float32)
        with torch.inference_mode():
            return self._model((pixels - 127) / 128).softmax(dim=1).cpu().numpy()

    def tokens(self, parsed: NDArray[np.uint8]) -> int:
        """One for each image."""
        return 1
