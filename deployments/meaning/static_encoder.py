"""The wordllama encoder: the mean of static token vectors (256 dimensions), about 0.03 ms a text."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from autoglm.errors import ConfigError
from deployments.meaning.encoder import Vectors, unit

WORD_START = "▁"  # SentencePiece's mark on a token that begins a word
UNKNOWN = 0  # SentencePiece's token for what it has no other for


class StaticEncoder:
    """WordLlama (Miller, 2024) with the weights that come in its package; no hub is asked."""

    inline = True

    def __init__(self) -> None:
        self._model = open_wordllama()
        self._words = tuple(whole_words(self._model.tokenizer.get_vocab()))

    @property
    def words(self) -> Sequence[str]:
        """The tokenizer's entries that are whole words, about 12,700; most are English."""
        return self._words

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Float32 of shape (n, 256); about 0.03 ms a text."""
        return unit(np.stack([self._mean(text) for text in texts]))

    def _mean(self, text: str) -> Vectors:
        """Of the text's token vectors, as `embed` computes it, at half its cost for a single text."""
        tokens = self._model.tokenizer.encode(text, add_special_tokens=False).ids
        rows: Vectors = self._model.embedding[tokens or [UNKNOWN]]
        return rows.mean(axis=0)


def open_wordllama() -> Any:
    """The model of the installed package.

    Raises:
        ConfigError: the package is not installed.
    """
    with root_logger_kept():
        try:
            import wordllama
        except ImportError:
            raise ConfigError("encoder: 'wordllama' needs the package wordllama; `pip install wordllama`") from None
    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)


@contextmanager
def root_logger_kept() -> Iterator[None]:
    """wordllama calls `logging.basicConfig(level=INFO)` on import, which would have every library's INFO printed."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def whole_words(vocabulary: Mapping[str, int]) -> Iterator[str]:
    """The tokens that begin a word and have letters only, without the mark, case-folded.

    By their ids, which are the order in which byte-pair encoding merged them: about that of their frequency.
    """
    for token in sorted(vocabulary, key=vocabulary.__getitem__):
        word = token.removeprefix(WORD_START)
        if word != token and word.isalpha():
            yield word.casefold()
