"""Heads and models fitted from a task's `data`, kept in `home()/heads` under the fingerprint of all they depend on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoglm.contract import DataConfig, TaskConfig
from autoglm.errors import APIStatusError, ConfigError
from autoglm.home import home
from autoglm.models import labels
from autoglm.models.checkpoint import Source
from autoglm.models.encoder import TextEncoder, depth
from autoglm.models.finetuning import FineTuning
from autoglm.models.head import Head
from autoglm.models.preparation import make_once
from autoglm.models.regression_head import RegressionHead
from autoglm.models.table import LabelledTable, features_and_labels, numbers, texts_and_labels

# scikit-learn's C on standardised features. Text: from four-fold cross-validation on SST-2's training set (0.826;
# 0.820 to 0.828 for all that was tried around it). Tables: scikit-learn's default.
TEXT_INVERSE_PENALTY = 0.002
TABLE_INVERSE_PENALTY = 1.0
FEATURE_LAYERS = 6  # as many as MiniLM has; more would make the head of a deep encoder large
FORMAT = 2  # raised when a head fitted by an older release must not be used

Progress = Callable[[str], None]


def text_model(config: TaskConfig, source: Source, progress: Progress) -> Path:
    """What a text task was fitted to on first use: the file of a head, or the folder of a fully fine-tuned model."""
    if config.fit.method == "full":
        return _full_model(config, source, progress)
    data, train = _train(config)

    def build(path: Path) -> None:
        texts, targets = texts_and_labels(data, train, "data.train")
        progress(f"fitting a head on {len(texts):,} texts")
        head = fit_text_head(TextEncoder(source, feature_layers(source)), texts, targets)
        labels.match(head.labels, config.labels)
        head.save(path)

    return make_once(_place(config, _identity(source)), build)


def _full_model(config: TaskConfig, source: Source, progress: Progress) -> Path:
    data, train = _train(config)
    target = _place(config, _identity(source))
    checkpoints = home() / "fits" / target.name

    def build(path: Path) -> None:
        texts, targets = texts_and_labels(data, train, "data.train")
        names = labels.match(labels.require(sorted(set(targets))), config.labels)
        tuning = FineTuning(source, names, config.fit, checkpoints)
        tuning.run(_readable(tuning.parse, texts), [names.index(label) for label in targets], progress)
        tuning.save(path)

    make_once(target, build)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return target


def table_head(config: TaskConfig, progress: Progress) -> Path:
    """The file of the head of a tabular task, fitted on first use."""
    if config.fit.method == "full":
        raise ConfigError("fit.method: got 'full'; a table has no model below its head, so leave it out")
    data, train = _train(config)

    def build(path: Path) -> None:
        table = features_and_labels(data, train, "data.train")
        progress(f"fitting a head on {len(table.labels):,} rows")
        if config.task == "tabular-regression":
            _regression(data, table).save(path)
        else:
            _classification(config, table).save(path)

    return make_once(_place(config, None), build)


def _classification(config: TaskConfig, table: LabelledTable) -> Head:
    targets = [str(label) for label in table.labels]
    head = Head.fit(table.features, targets, inverse_penalty=TABLE_INVERSE_PENALTY, columns=table.names)
    labels.match(head.labels, config.labels)
    return head


def _regression(data: DataConfig, table: LabelledTable) -> RegressionHead:
    targets = numbers(table.labels, data.label, "data.train")
    return RegressionHead.fit(table.features, targets, columns=table.names)


def fit_text_head(encoder: TextEncoder, texts: list[Any], targets: list[str]) -> Head:
    """Fit on the means of the encoder's layers; ConfigError naming the row where a text cannot be read."""
    features = encoder.encode(_readable(encoder.parse, texts))
    return Head.fit(features, targets, inverse_penalty=TEXT_INVERSE_PENALTY, layers=encoder.layers)


def feature_layers(source: Source) -> tuple[int, ...]:
    """The layers whose means are a head's features: spread evenly from the word embeddings to the last but one.

    On SST-2 they do as well as all of them (cross-validated 82.6 % against 82.5 to 82.8 %, MiniLM), and the last
    block, the one most bent to what the encoder was trained for, need not be computed.
    """
    top = depth(source) - 1
    return tuple(sorted({round(i * top / (FEATURE_LAYERS - 1)) for i in range(FEATURE_LAYERS)}))


def _readable(parse: Callable[[Any, int], list[int]], texts: list[Any]) -> list[list[int]]:
    try:
        return [parse(text, index) for index, text in enumerate(texts)]
    except APIStatusError as error:
        raise ConfigError(f"data.train: {error.message}") from error


def _train(config: TaskConfig) -> tuple[DataConfig, str]:
    if config.data is None or config.data.train is None:
        raise ConfigError("data.train: missing; declare `data: {train: …}` with labelled rows to fit a head on")
    return config.data, config.data.train


def _place(config: TaskConfig, encoder: Any) -> Path:
    data, train = _train(config)
    declared = {
        "format": FORMAT,
        "task": config.task,
        "labels": config.labels,
        "data": data.model_dump(exclude={"test", "image"}),
        "fit": config.fit.model_dump() if config.fit.method == "full" else None,
        "content": _content(train),
        "encoder": encoder,
    }
    fingerprint = hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()[:32]
    return home() / "heads" / (fingerprint if config.fit.method == "full" else f"{fingerprint}.safetensors")


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
