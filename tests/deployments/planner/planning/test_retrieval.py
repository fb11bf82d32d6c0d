"""Which tools fit an instruction."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from deployments.meaning import Encoder, Vectors
from deployments.planner.planning import retrieval
from deployments.planner.planning.retrieval import ToolIndex
from tests.deployments.planner.planning.hands import TOOLS, card

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
        ("work out 3 times 4", "calculate"),
        ("from the first of May to the second of June, how many days?", "days_between"),
    ],
)
def test_of_hundreds_the_fitting_one_comes_first(encoder: Encoder, instruction: str, name: str) -> None:
    """By meaning and by words, whatever else is there."""
    found = ToolIndex(encoder).nearest(instruction, [*MANY, *TOOLS], 3)
    assert found[0].card.name == name
    assert [one.fit for one in found] == sorted((one.fit for one in found), reverse=True)


def test_chinese_words_of_a_description_are_found(encoder: Encoder) -> None:
    """The encoder knows little Chinese; pairs of signs do."""
    weather = card("forecast", "The weather of a city. 天气 预报 气温", city="string")
    found = ToolIndex(encoder).nearest("上海明天的天气怎么样", [*MANY, weather], 1)
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


def test_of_no_tools_none_fits(encoder: Encoder) -> None:
    """A caller without a grant."""
    assert ToolIndex(encoder).nearest("x", [], 3) == []
