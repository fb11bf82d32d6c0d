"""Heads fitted from a task's `data`, kept in `home()/heads` under the fingerprint of all that they depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoglm.contract import DataConfig, TaskConfig
from autoglm.errors import APIStatusError, ConfigError
from autoglm.home import home
from autoglm.models import labels
from autoglm.models.checkpoint import Source
from autoglm.models.encoder import TextEncoder, depth
from autoglm.models.head import Head
from autoglm.models.preparation import make_once
from autoglm.models.table import features_and_labels, texts_and_labels

# scikit-learn's C on standardised features. Text: from four-fold cross-validation on SST-2's training set (0.826;
# 0.820 to 0.828 for all that was tried around it). Tables: scikit-learn's default.
TEXT_INVERSE_PENALTY = 0.002
TABLE_INVERSE_PENALTY = 1.0
FEATURE_LAYERS = 6  # as many as MiniLM has; more would make the head of a deep encoder large
FORMAT = 1  # raised when a head fitted by an older release must not be used


def text_head(config: TaskConfig, source: Source, progress: Callable[[str], None] | None = None) -> Path:
    """The file of the head of a text task, fitted on the frozen encoder at `source` on first use."""
    data = _data(config)

    def fit() -> Head:
        texts, targets = texts_and_labels(data, data.train, "data.train")
        if progress is not None:
            progress(f"fitting a head on {len(texts):,} texts")
        return fit_text_head(TextEncoder(source, feature_layers(source)), texts, targets)

    return _fitted(config, data, _identity(source), fit)


def table_head(config: TaskConfig, progress: Callable[[str], None] | None = None) -> Path:
    """The file of the head of a tabular task, fitted on first use."""
    data = _data(config)

    def fit() -> Head:
        features, targets = features_and_labels(data, data.train, "data.train")
        if progress is not None:
            progress(f"fitting a head on {len(features):,} rows")
        return Head.fit(features, targets, inverse_penalty=TABLE_INVERSE_PENALTY)

    return _fitted(config, data, None, fit)


def fit_text_head(encoder: TextEncoder, texts: list[Any], targets: list[str]) -> Head:
    """Fit on the means of the encoder's layers; ConfigError naming the row where a text cannot be read."""
    try:
        rows = [encoder.parse(text, index) for index, text in enumerate(texts)]
    except APIStatusError as error:
        raise ConfigError(f"data.train: {error.message}") from error
    features = encoder.encode(rows)
    return Head.fit(features, targets, inverse_penalty=TEXT_INVERSE_PENALTY, layers=encoder.layers)


def feature_layers(source: Source) -> tuple[int, ...]:
    """The layers whose means are a head's features: spread evenly from the word embeddings to the last but one.

    On SST-2 they do as well as all of them (cross-validated 82.6 % against 82.5 to 82.8 %, MiniLM), and the last
    block, the one most bent to what the encoder was trained for, need not be computed.
    """
    top = depth(source) - 1
    return tuple(sorted({round(i * top / (FEATURE_LAYERS - 1)) for i in range(FEATURE_LAYERS)}))


def _data(config: TaskConfig) -> DataConfig:
    if config.data is None:
        raise ConfigError("data: missing; declare `data: {train: …}` with labelled rows to fit a head on")
    return config.data


def _fitted(config: TaskConfig, data: DataConfig, encoder: Any, fit: Callable[[], Head]) -> Path:
    declared = {
        "format": FORMAT,
        "task": config.task,
        "labels": config.labels,
        "data": data.model_dump(exclude={"test"}),
        "content": _content(data.train),
        "encoder": encoder,
    }
    fingerprint = hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()[:32]

    def build(path: Path) -> None:
        head = fit()
        labels.match(head.labels, config.labels)
        head.save(path)

    return make_once(home() / "heads" / f"{fingerprint}.safetensors", build)


def _content(source: str) -> str | None:
    path = Path(source).expanduser()
    if not path.is_file():  # an embedded table, or an error that reading it will report
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _identity(source: Source) -> list[Any]:
    """What tells one encoder from another without reading its weights."""
    if isinstance(source, str):
        return [source]
    files = sorted(source.glob("*.safetensors"))
    return [str(source), *[[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]]
