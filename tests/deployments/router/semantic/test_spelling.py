"""Slips in words, corrected to the examples' own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.router.semantic.spelling import Spelling, one_edit

ALPHABET = "abc"
WORDS = st.text(ALPHABET, max_size=5)


def edits(word: str) -> set[str]:
    """Every word that is one edit away, by enumeration (Norvig)."""
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    return (
        {left + right[1:] for left, right in cuts if right}
        | {left + letter + right for left, right in cuts for letter in ALPHABET}
        | {left + letter + right[1:] for left, right in cuts if right for letter in ALPHABET}
        | {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    ) - {word}


@settings(deadline=None)
@given(WORDS, WORDS)
def test_one_edit_is_what_enumeration_says(left: str, right: str) -> None:
    """The comparison that needs no enumeration."""
    assert one_edit(left, right) == (right in edits(left))


@pytest.mark.parametrize("slip", ["trnasfer", "tansfer", "transfeer", "transfet", "transfers"])
def test_a_slip_becomes_the_word_of_the_examples(slip: str) -> None:
    """Swapped, dropped, doubled, another key, one more."""
    assert Spelling(["cancel a transfer"]).correct(f"my {slip}, please") == "my transfer, please"


@pytest.mark.parametrize("word", ["transform", "trnasfre", "ransfert", "to", "xransferx" * 4])
def test_what_is_no_single_slip_stays(word: str) -> None:
    """Other words, two slips, words too short to tell and too long to look up."""
    assert Spelling(["cancel a transfer"]).correct(word) == word


def test_a_right_word_that_no_example_has_stays() -> None:
    """`cards` is no misspelling of `card`, nor `lose` of `lost`."""
    spelling = Spelling(["I lost my card"], ["cards", "lose"])
    assert spelling.correct("did i lose both cards") == "did i lose both cards"


def test_a_slip_in_a_word_of_the_lexicon_is_corrected_too_after_those_of_the_examples() -> None:
    """`hellp` may be `hello` or `help`: the lexicon's more frequent one, unless an example has the other."""
    assert Spelling(["a card"], ["hello", "help"]).correct("hellp") == "hello"
    assert Spelling(["help me"], ["hello", "help"]).correct("hellp") == "help"


def test_of_two_words_the_more_frequent_is_taken() -> None:
    """`cad` may be `card` or `cat`."""
    assert Spelling(["cat", "card", "card"]).correct("cad") == "card"
    assert Spelling(["card", "cat", "cat"]).correct("cad") == "cat"
