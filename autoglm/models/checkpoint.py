"""Opening a transformers checkpoint: safetensors only, no remote code, and no head left untrained."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglm.errors import ModelError

if TYPE_CHECKING:
    import torch

Source = Path | str  # a local folder, or a hub id


def read_json(source: Source, name: str) -> dict[str, Any] | None:
    """A small JSON file of the checkpoint, or None where it has none. Contacts the hub for a hub id.

    Raises ModelError where the checkpoint cannot be reached, or the file is not JSON.
    """
    from transformers.utils import cached_file

    try:
        path = cached_file(source, name, _raise_exceptions_for_missing_entries=False)
    except OSError as error:
        raise ModelError(f"model: {source} cannot be read: {error}") from error
    try:
        return None if path is None else json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"model: {path} is not JSON: {error}") from error


def architecture(source: Source) -> str:
    """The class that the checkpoint was saved from, such as `BertForSequenceClassification`.

    Raises ModelError where the source is no checkpoint.
    """
    config = read_json(source, "config.json")
    if config is None:
        raise ModelError(f"model: {source} holds no config.json; a folder made by save_pretrained() is expected")
    return (config.get("architectures") or ["unknown"])[0]


def open_config(source: Source) -> Any:
    """The checkpoint's configuration."""
    from transformers import AutoConfig

    return _opened(AutoConfig, source)


def open_tokenizer(source: Source, **kwargs: Any) -> Any:
    """The checkpoint's fast tokenizer."""
    from transformers import AutoTokenizer

    with quiet():
        return _opened(AutoTokenizer, source, **kwargs)


def open_model(source: Source, auto_class: str, **kwargs: Any) -> Any:
    """The checkpoint as float32 in evaluation mode, on the GPU where there is one.

    `auto_class` is one of transformers' `AutoModel…` names.

    Raises ModelError where there are no safetensors, or where the file lacks weights of the class,
    which transformers would fill with random numbers.
    """
    import transformers

    check_safetensors(source)
    with quiet():
        model, report = _opened(
            getattr(transformers, auto_class),
            source,
            dtype="float32",
            use_safetensors=True,
            output_loading_info=True,
            **kwargs,
        )
    if missing := sorted(report["missing_keys"]):
        raise ModelError(f"model: {source} has no trained weights for {', '.join(missing[:3])}")
    return model.eval().to(device())


def open_under_new_head(source: Source, labels: Sequence[str]) -> Any:
    """The checkpoint as float32 in training mode, below a classification head of random weights for `labels`.

    Raises ModelError where there are no safetensors, or where it is of a kind that has no such head.
    """
    from transformers import AutoModelForSequenceClassification

    check_safetensors(source)
    with quiet():
        model = _opened(
            AutoModelForSequenceClassification,
            source,
            dtype="float32",
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # of a head that was trained for other labels
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
    return model.train().to(device())


def check_safetensors(source: Source) -> None:
    """Raises ModelError for a local folder whose weights are not safetensors: a pickle can run code."""
    if isinstance(source, Path) and not any(source.glob("*.safetensors")):
        raise ModelError(
            f"model: {source} holds no *.safetensors; pickled weights (.bin, .pt) are not loaded. "
            "Convert it with save_pretrained(), which writes safetensors"
        )


def device() -> torch.device:
    """Where models run."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def max_tokens(source: Source, tokenizer: Any, config: Any) -> int:
    """How many tokens the model reads: sentence-transformers' setting where there is one, else the tightest limit."""
    sentence = read_json(source, "sentence_bert_config.json") or {}
    limits = (
        sentence.get("max_seq_length"),
        tokenizer.model_max_length,
        getattr(config, "max_position_embeddings", None),
    )
    return min(limit for limit in limits if limit)


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and load reports of transformers; what they say of missing weights is raised instead."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _opened(factory: Any, source: Source, **kwargs: Any) -> Any:
    try:
        return factory.from_pretrained(source, **kwargs)
    except (OSError, ValueError) as error:  # what transformers raises for files that are missing or of another model
        raise ModelError(f"model: {source} cannot be loaded: {error}") from error
