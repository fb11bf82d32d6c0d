"""From a declared task to what it needs on disk, and to the adapter that answers it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autoglm.contract import TaskConfig
from autoglm.errors import ConfigError, ModelError
from autoglm.models import embedded
from autoglm.models.adapter import Adapter
from autoglm.models.checkpoint import Source, architecture
from autoglm.models.efficientnet import EfficientNetClassifier
from autoglm.models.embedding import Embedder
from autoglm.models.encoder import TextEncoder
from autoglm.models.fitting import table_head, text_head
from autoglm.models.generation import Generator
from autoglm.models.head import Head
from autoglm.models.head_classification import HeadClassifier
from autoglm.models.image_classification import ImageClassifier
from autoglm.models.sequence_classification import SequenceClassifier
from autoglm.models.source import resolve
from autoglm.models.tabular import TabularClassifier
from autoglm.models.zero_shot import ZeroShotClassifier

TABULAR_MODEL = "logistic"


def prepare(config: TaskConfig, *, progress: Callable[[str], None] | None = None) -> None:
    """Make what the task needs exist on disk: embedded models unpacked, a head fitted from `data`.

    May be called again at no cost, and by several processes at once. `progress` is told each step that takes time.

    Raises ConfigError for a wrong declaration, ModelError where a model cannot be had.
    """
    if config.task == "tabular-classification":
        table_head(config, progress)
        return
    name = _model(config)
    if name.startswith(embedded.PREFIX):
        embedded.prepare(name.removeprefix(embedded.PREFIX), progress)
    if config.task == "text-classification" and config.data is not None:
        text_head(config, resolve(name), progress)


def load(config: TaskConfig) -> Adapter:
    """The adapter of a declared task, prepared first where that was not done.

    Raises ConfigError for a wrong declaration, ModelError for a model that cannot do the task.
    """
    prepare(config)
    if config.task == "tabular-classification":
        return _tabular(config)
    source = resolve(_model(config))
    match config.task:
        case "text-classification":
            return _text(config, source)
        case "zero-shot-classification":
            _check_architecture(source, "ForCausalLM", "a generating model is expected")
            return ZeroShotClassifier(source, config.labels)
        case "embedding":
            return Embedder(source)
        case "image-classification":
            return _image(config, source)
        case "text-generation":
            _check_architecture(source, "ForCausalLM", "a generating model is expected")
            return Generator(source)


def _tabular(config: TaskConfig) -> Adapter:
    if config.model not in (None, TABULAR_MODEL):
        raise ConfigError(f"model: got {config.model!r}; tabular-classification knows {TABULAR_MODEL!r} (the default)")
    return TabularClassifier(Head.load(table_head(config)), config.labels)


def _text(config: TaskConfig, source: Source) -> Adapter:
    path = text_head(config, source) if config.data is not None else embedded.shipped_head(_model(config))
    if path is not None:
        return _with_head(config, source, path)
    kind = architecture(source)
    if kind.endswith("ForCausalLM"):
        return ZeroShotClassifier(source, config.labels)
    if not kind.endswith("ForSequenceClassification"):
        raise ModelError(
            f"model: {config.model} ({kind}) has no trained classification head, so its answers would be noise; "
            "declare `data: {train: …}` to fit a head on it, or take a generating model with "
            "`task: zero-shot-classification`"
        )
    return SequenceClassifier(source, config.labels)


def _with_head(config: TaskConfig, source: Source, path: Path) -> Adapter:
    head = Head.load(path)
    return HeadClassifier(TextEncoder(source, head.layers), head, config.labels)


def _image(config: TaskConfig, source: Source) -> Adapter:
    if config.model == f"{embedded.PREFIX}efficientnet-lite0":
        return EfficientNetClassifier(Path(source), config.labels)
    _check_architecture(source, "ForImageClassification", "a fine-tuned image classifier is expected")
    return ImageClassifier(source, config.labels)


def _check_architecture(source: Source, ending: str, expected: str) -> None:
    kind = architecture(source)
    if not kind.endswith(ending):
        raise ModelError(f"model: {source} is a {kind}; {expected} (*{ending})")


def _model(config: TaskConfig) -> str:
    if config.model is None:
        raise ConfigError(f"model: missing; {config.task} needs embedded/NAME, a local folder or a hub id")
    return config.model
