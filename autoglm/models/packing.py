"""Sequence packing: texts one after the other in a single row, each seeing only itself, so that nothing is padding.

The mask and the restarted positions are those of Krell et al. (2021), "Efficient Sequence Packing without
Cross-contamination"; unlike there, rows are packed in order of arrival, since on a CPU a short row costs little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# MiniLM's head classifier on two cores, SST-2, sentences/s at 128 / 256 / 512 / 1,024 tokens a pack, two passes of one
# thread at a time: 198 / 273 / 254 / 227, where sub-batches of 16 like lengths gave 222. Attention over a whole pack
# grows with its square, and the weights are read once for each.
PACK_TOKENS = 256


def packs(rows: Sequence[Sequence[int]], tokens: int = PACK_TOKENS) -> Iterator[list[Sequence[int]]]:
    """The rows in groups of at most `tokens` tokens in all, in their order; a longer row is a group of its own."""
    pack: list[Sequence[int]] = []
    for row in rows:
        if pack and sum(map(len, pack)) + len(row) > tokens:
            yield pack
            pack = []
        pack.append(row)
    if pack:
        yield pack


def packed(rows: Sequence[Sequence[int]]) -> tuple[dict[str, Any], torch.Tensor]:
    """The model's arguments for one pack of n rows and T tokens, and the weights that take each row's mean over tokens.

    Ids and positions have shape (1, T), the additive mask (1, 1, T, T), the weights (n, T).
    """
    import torch

    lengths = torch.tensor([len(row) for row in rows])
    row_of = torch.repeat_interleave(torch.arange(len(rows)), lengths)
    mask = torch.zeros(1, 1, len(row_of), len(row_of))
    mask.masked_fill_(row_of[:, None] != row_of[None, :], torch.finfo(mask.dtype).min)
    weights = torch.zeros(len(rows), len(row_of))
    weights[row_of, torch.arange(len(row_of))] = (1 / lengths)[row_of]
    arguments = {
        "input_ids": torch.tensor([[token for row in rows for token in row]]),
        "position_ids": torch.cat([torch.arange(length) for length in lengths.tolist()])[None],
        "attention_mask": mask,
    }
    return arguments, weights
