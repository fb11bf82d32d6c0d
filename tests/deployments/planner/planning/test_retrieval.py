"""Which tools fit an instruction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from deployments.meaning import Encoder, Vectors
from deployments.planner.planning import retrieval
from deployments.planner.planning.retrieval import ToolIndex
from tests.deployments.planner.planning.capabilities import TOOLS, card

MANY = [card(f"tool_{number}", f"Does the thing number {number}.", value="string") for number in range(500)]


class CountingEncoder:
    """The encoder, and how many texts it was given."""

    inline = True
    words: Sequence[str] = ()

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.encoded = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As the encoder."""
        self.encoded += len(texts)
        return self._encoder.encode(texts)


@pytest.mark.parametrize(
    ("instruction", "name"),
    [
        ("Where is my parcel? The order has the number 4711.", "find_order"),
        ("calculate an expression for me, please", "calculate"),
        ("from the first of May to the second of June, how many days?", "days_between"),
    ],
)
def test_of_hundreds_the_fitting_one_comes_first(encoder: Encoder, instruction: str, name: str) -> None:
    """By meaning and by words, whatever else is there."""
    found = ToolIndex(encoder).nearest(instruction, [*MANY, *TOOLS], 3)
    assert found[0].card.name == name
    assert [one.fit for one in found] == sorted((one.fit for one in found), reverse=True)


class BlankEncoder:
    """Knows no word at all."""

    inline = True
    words: Sequence[str] = ()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Zeros."""
        return np.zeros((len(texts), 4), np.float32)


@pytest.mark.parametrize("instruction", ["上海明天的天气怎么样", "look into the forecasts for Shanghai"])
def test_words_decide_where_meaning_does_not(instruction: str) -> None:
    """A name that no encoder knows, and Chinese, of which the static vectors know little: by pairs of its signs."""
    forecast = card("forecast", "Of a city. 天气 预报 气温", city="string")
    found = ToolIndex(BlankEncoder()).nearest(instruction, [*MANY, forecast], 1)
    assert found[0].card.name == "forecast"


def test_a_tool_is_encoded_once_and_anew_when_it_changed(encoder: Encoder) -> None:
    """A listing is asked for at each instruction, and hardly ever another."""
    counting = CountingEncoder(encoder)
    index = ToolIndex(counting)
    index.nearest("one", MANY, 1)
    before = counting.encoded
    index.nearest("two", MANY, 1)
    assert counting.encoded == before + 1  # the question
    index.nearest("three", [MANY[0].model_copy(update={"description": "Another."}), *MANY[1:]], 1)
    assert counting.encoded == before + 3


def test_the_index_forgets_what_nobody_asks_for(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools come and go while the planner lives."""
    monkeypatch.setattr(retrieval, "MAX_TOOLS", 2)
    counting = CountingEncoder(encoder)
    index = ToolIndex(counting)
    for one in (MANY[:1], MANY[1:2], MANY[:1], MANY[2:3], MANY[:1]):
        index.nearest("x", one, 1)
    assert counting.encoded == 5 + 3  # questions, and each tool once: the first was asked for again in time
    index.nearest("x", MANY[1:2], 1)
    assert counting.encoded == 6 + 4


def test_of_no_tools_none_fits(encoder: Encoder) -> None:
    """A caller without a grant."""
    assert ToolIndex(encoder).nearest("x", [], 3) == []
