"""A frozen text encoder: texts to the means over tokens of some of its layers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from autoglm.models.buckets import map_buckets
from autoglm.models.checkpoint import Source, max_tokens, open_config, open_model, open_tokenizer
from autoglm.models.packing import PACK_TOKENS, packed, packs
from autoglm.models.text import check_text

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


PACKABLE = frozenset({"bert"})  # absolute positions that can be given, and a mask of any form


class TextEncoder:
    """Layers are counted as hidden states: 0 the word embeddings, k the output of block k.

    Blocks above the highest layer asked for are not loaded, nor is the pooler.
    """

    def __init__(self, source: Source, layers: Sequence[int]) -> None:
        self.layers = tuple(layers)
        self._tokenizer = open_tokenizer(source)
        self._model = open_model(source, "AutoModel", num_hidden_layers=max(layers), **_without_pooler(source))
        self._limit = max_tokens(source, self._tokenizer, self._model.config)
        self._packs = self._model.config.model_type in PACKABLE and self._model.device.type == "cpu"
        self.pass_tokens = PACK_TOKENS if self._packs else None

    def parse(self, item: Any, index: int) -> list[int]:
        """The text's token ids, cut to what the model reads."""
        text = check_text(item, index)
        return list(self._tokenizer(text, truncation=True, max_length=self._limit)["input_ids"])

    def encode(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Token rows to float32 of shape (n, layers x hidden size): each layer's mean over tokens, joined."""
        import numpy as np

        width = len(self.layers) * self._model.config.hidden_size
        if self._packs:
            means = list(chain.from_iterable(map(self._encode_pack, packs(rows))))
        else:
            means = map_buckets(rows, self._encode_bucket)
        return np.asarray(means, dtype=np.float32).reshape(len(rows), width)

    def _encode_pack(self, rows: list[Sequence[int]]) -> NDArray[np.float32]:
        import torch

        arguments, weights = packed(rows)
        with torch.inference_mode():
            states = self._model(**arguments, output_hidden_states=True).hidden_states
            return torch.cat([weights @ states[layer][0] for layer in self.layers], dim=1).numpy()

    def _encode_bucket(self, rows: list[Sequence[int]]) -> NDArray[np.float32]:
        import torch

        ids, mask = pad(rows, self._tokenizer.pad_token_id or 0, self._model.device)
        with torch.inference_mode():
            states = self._model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
            weights = (mask / mask.sum(dim=1, keepdim=True)).unsqueeze(1)
            means = torch.cat([torch.bmm(weights, states[layer]).squeeze(1) for layer in self.layers], dim=1)
        return means.cpu().numpy()


def pad(rows: Sequence[Sequence[int]], filler: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, both of shape (n, longest row), padded on the right."""
    import torch

    longest = max(len(row) for row in rows)
    ids = torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device)
    return ids, mask


def depth(source: Source) -> int:
    """How many blocks the encoder has."""
    return int(open_config(source).num_hidden_layers)


def _without_pooler(source: Source) -> dict[str, bool]:
    """BERT's family takes an argument for it; their pooler costs time and is missing from many checkpoints."""
    from transformers import AutoModel

    model_class = AutoModel._model_mapping[type(open_config(source))]
    return {"add_pooling_layer": False} if "add_pooling_layer" in inspect.signature(model_class).parameters else {}
