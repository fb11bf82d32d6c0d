"""Fit the shipped sentiment head: `python -m autoglm.models.heads.fit_sst2 TRAIN.tsv DEV.tsv [OUT.safetensors]`.

The files are SST-2's (Socher et al., 2013): a sentence, a tab, 0 for negative or 1 for positive; no header.
"""

from __future__ import annotations

import sys
from pathlib import Path

from autoglm.models import embedded
from autoglm.models.encoder import TextEncoder
from autoglm.models.fitting import feature_layers, fit_text_head
from autoglm.models.head import Head

NAMES = ("negative", "positive")
SHIPPED = Path(__file__).parent / "minilm-l6-sst2.safetensors"


def read(path: Path) -> tuple[list[str], list[str]]:
    """The sentences and their labels."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [text for text, _ in rows], [NAMES[int(label)] for _, label in rows]


def accuracy(head: Head, encoder: TextEncoder, texts: list[str], targets: list[str]) -> float:
    """The part of the texts whose likeliest label is the right one."""
    probabilities = head.probabilities(encoder.encode([encoder.parse(text, i) for i, text in enumerate(texts)]))
    found = probabilities.argmax(axis=1)
    return sum(head.labels[best] == target for best, target in zip(found, targets, strict=True)) / len(targets)


def main(train: Path, dev: Path, out: Path = SHIPPED) -> None:
    """Fit on `train`, write the head to `out`, print the accuracy on `dev`."""
    source = embedded.prepare("minilm-l6")
    encoder = TextEncoder(source, feature_layers(source))
    head = fit_text_head(encoder, *read(train))
    head.save(out)
    print(f"{out}: accuracy on {dev.name} {accuracy(head, encoder, *read(dev)):.4f}")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*(Path(argument) for argument in sys.argv[1:]))
