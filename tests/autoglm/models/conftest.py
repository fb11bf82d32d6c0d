"""A home that is filled once for all tests here, an empty one, and checkpoints small enough to make on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from autoglm.models import embedded

BertMaker = Callable[..., Path]

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "bad", "dull", "fine", "film", "good", "great", "poor"]


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Embedded models are unpacked here once a session, by whichever test needs them first."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def prepared(filled_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOGLM_HOME", str(filled_home))
    return filled_home


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def tiny_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> embedded.Package:
    """An installed package with one model file of three bytes, whose SHA-256 is pinned."""
    (tmp_path / "tiny_model").mkdir()
    (tmp_path / "tiny_model" / "__init__.py").write_text("raise ImportError('looking for the file imported it')")
    (tmp_path / "tiny_model" / "weights").write_bytes(b"abc")
    monkeypatch.syspath_prepend(tmp_path)
    return embedded.Package(
        module="tiny_model",
        file="weights",
        sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",  # FIPS 180-2's example
        unpack=lambda source, folder: folder.write_bytes(source.read_bytes()),
    )


@pytest.fixture
def make_bert(tmp_path: Path) -> BertMaker:
    """Saves a tiny BERT of the given class, with random weights and a tokenizer of twelve words."""

    def make(architecture: str, **config: Any) -> Path:
        torch.manual_seed(0)
        folder = tmp_path / architecture
        small = transformers.BertConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=12,
            initializer_range=0.5,
            **config,
        )
        getattr(transformers, architecture)(small).save_pretrained(folder)
        _save_tokenizer(folder)
        return folder

    return make


def _save_tokenizer(folder: Path) -> None:
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(
        folder
    )
