"""What vectors of words' means do not see: the order of the words, a negation, a number."""

from __future__ import annotations

import re

WORD = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*")
NEGATIONS = frozenset(
    {"not", "no", "never", "none", "nothing", "nobody", "neither", "nor", "without", "cannot", "except", "unless"}
)


def agree(text: str, other: str) -> bool:
    """Whether two texts, otherwise alike, may mean the same.

    The words that they share come in the same order, and no word that only one has is a number or negates. By the
    vectors alone "Transfer 100 from Ann to Bob" and "from Bob to Ann" have the cosine 1.0, and "Is it safe to mix
    bleach and ammonia?" has 0.985 with "Is it not safe …". Negations are known in English only; texts that share no
    word, as those of languages written without spaces, do not agree.
    """
    words, others = words_of(text), words_of(other)
    shared = set(words) & set(others)
    return (
        bool(shared)
        and [word for word in words if word in shared] == [word for word in others if word in shared]
        and not any(map(turns, set(words) ^ set(others)))
    )


def words_of(text: str) -> list[str]:
    """Words and numbers, in lower case."""
    return WORD.findall(text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def turns(word: str) -> bool:
    """Whether a word more or less makes another question of it."""
    return word.isdecimal() or word in NEGATIONS or word.endswith("n't")
