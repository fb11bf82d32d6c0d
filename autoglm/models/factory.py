"""From a declared task to what it needs on disk, and to the adapter that answers it."""

from __future__ import annotations

from pathlib import Path

from autoglm.contract import TaskConfig
from autoglm.errors import ConfigError, ModelError
from autoglm.models import embedded
from autoglm.models.adapter import Adapter
from autoglm.models.checkpoint import Source, architecture
from autoglm.models.efficientnet import EfficientNetClassifier
from autoglm.models.embedding import Embedder
from autoglm.models.encoder import TextEncoder
from autoglm.models.fitting import Progress, table_head, text_model
from autoglm.models.generation import Generator
from autoglm.models.head import Head
from autoglm.models.head_classification import HeadClassifier
from autoglm.models.image_classification import ImageClassifier
from autoglm.models.regression_head import RegressionHead
from autoglm.models.sequence_classification import SequenceClassifier
from autoglm.models.source import resolve
from autoglm.models.tabular import TabularClassifier, TabularRegressor
from autoglm.models.zero_shot import ZeroShotClassifier

TABULAR_MODELS = {"tabular-classification": "logistic", "tabular-regression": "ridge"}


def prepare(config: TaskConfig, *, progress: Progress | None = None) -> Path | None:
    """Make what the task needs exist on disk; the head or model fitted on `data.train`, None where there is no such.

    May be called again at no cost, and by several processes at once. `progress` is told each step that takes time.

    Raises ConfigError for a wrong declaration, ModelError where a model cannot be had.
    """
    tell = progress or _silent
    if config.task in TABULAR_MODELS:
        _check_tabular(config)
        return table_head(config, tell)
    name = _model(config)
    if name.startswith(embedded.PREFIX):
        embedded.prepare(name.removeprefix(embedded.PREFIX), progress)
    if config.task == "text-classification" and config.data is not None and config.data.train is not None:
        return text_model(config, resolve(name), tell)
    return None


def load(config: TaskConfig, fitted: Path | None = None) -> Adapter:
    """The adapter of a declared task, prepared first where that was not done.

    `fitted` is what `prepare` returned earlier, or a copy of it; the training data are then not looked at.

    Raises ConfigError for a wrong declaration, ModelError for a model that cannot do the task.
    """
    fitted = fitted or prepare(config)
    match config.task:
        case "tabular-classification":
            return TabularClassifier(Head.load(_present(fitted)), config.labels)
        case "tabular-regression":
            return TabularRegressor(RegressionHead.load(_present(fitted)))
        case "text-classification":
            return _text(config, fitted)
        case "zero-shot-classification":
            return ZeroShotClassifier(_generating(config), config.labels)
        case "embedding":
            return Embedder(resolve(_model(config)))
        case "image-classification":
            return _image(config, resolve(_model(config)))
        case "text-generation":
            return Generator(_generating(config))
        case "auto":
            raise ConfigError("task: got 'auto', which AutoTask resolves; name the type here")


def _check_tabular(config: TaskConfig) -> None:
    known = TABULAR_MODELS[config.task]
    if config.model not in (None, known):
        raise ConfigError(f"model: got {config.model!r}; {config.task} knows {known!r} (the default)")


def _present(fitted: Path | None) -> Path:
    if fitted is None:
        raise ConfigError("data.train: missing; a tabular task is fitted on labelled rows")
    return fitted


def _text(config: TaskConfig, fitted: Path | None) -> Adapter:
    if fitted is not None and fitted.is_dir():  # fully fine-tuned
        return SequenceClassifier(fitted, config.labels)
    source = resolve(_model(config))
    head = fitted or embedded.shipped_head(_model(config))
    if head is not None:
        return _with_head(config, source, head)
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


def _generating(config: TaskConfig) -> Source:
    source = resolve(_model(config))
    _check_architecture(source, "ForCausalLM", "a generating model is expected")
    return source


def _image(config: TaskConfig, source: Source) -> Adapter:
    if config.model == f"{embedded.PREFIX}efficientnet-lite0":
        return EfficientNetClassifier(Path(source), config.labels)
    _check_architecture(source, "ForImageClassification", "a fine-tuned image classifier is expected")
    return ImageClassifier(source, config.labels)


def _check_architecture(source: Source, ending: str, expected: str) -> None:
    kind = architecture(source)
    if not kind.endswith(ending):
        raise ModelError(f"model: {source} is a {kind}; {expected} (*{ending})")


def _silent(step: str) -> None:
    """Nobody is told."""


def _model(config: TaskConfig) -> str:
    if config.model is None:
        raise ConfigError(f"model: missing; {config.task} needs embedded/NAME, a local folder or a hub id")
    return config.model
