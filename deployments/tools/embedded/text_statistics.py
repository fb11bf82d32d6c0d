"""The tool `text_statistics`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from autoglm.tool import tool
from deployments.tools.embedded.words import words

MOST_COMMON = 10
# Full stops, question and exclamation marks, those of Chinese among them; a point within a number ends nothing.
SENTENCE_END = re.compile(r"[.!?]+(?=[\s\"')\]]|$)|[\u3002\uff01\uff1f]+|\n{2,}")


@dataclass(frozen=True, slots=True)
class WordCount:
    """A word without case, and how often it stands there."""

    word: str
    count: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """`most_common` are the ten most frequent words, the first of equal ones first."""

    characters: int
    words: int
    sentences: int
    unique_words: int
    most_common: list[WordCount]


@tool(idempotent=True)
def text_statistics(text: str) -> Statistics:
    """Count the words, characters and sentences of a text, its different words, and the most frequent ones.
    A Chinese character counts as a word. 字数 词数 统计 字符 句子 多少字 最常见

    Args:
        text: the text
    """
    found = Counter(word.casefold() for word in words(text))
    return Statistics(
        characters=len(text),
        words=found.total(),
        sentences=sum(bool(words(part)) for part in SENTENCE_END.split(text)),
        unique_words=len(found),
        most_common=[WordCount(word, count) for word, count in found.most_common(MOST_COMMON)],
    )
