"""The embedded encoder, loaded once."""

from __future__ import annotations

import pytest

from deployments.meaning import Encoder, load_encoder


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The embedded static vectors."""
    return load_encoder("wordllama")
