"""The numbers of a text."""

from __future__ import annotations

from tests.deployments.tools.embedded.conftest import Call


def test_an_english_text_is_counted(call: Call) -> None:
    """A number with a point is a word and ends no sentence; case makes no other word."""
    found = call("text_statistics", text="The cat's mat. The 3.5 mats!  Really?")
    assert (found["characters"], found["words"], found["sentences"], found["unique_words"]) == (37, 7, 3, 6)
    assert found["most_common"][0] == {"word": "the", "count": 2}


def test_each_chinese_character_is_a_word(call: Call) -> None:
    """Beside Latin words in the same text."""
    found = call("text_statistics", text="你好、世界。你 OK。")
    assert (found["words"], found["sentences"], found["unique_words"]) == (6, 2, 5)


def test_an_empty_text_has_nothing(call: Call) -> None:
    """Not a sentence either, as one of signs alone."""
    for text in ("", "... !?"):
        found = call("text_statistics", text=text)
        assert (found["words"], found["sentences"], found["most_common"]) == (0, 0, [])
