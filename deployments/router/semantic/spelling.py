"""Correction of a single slip in a word, towards the words of the examples and of a lexicon.

By symmetric deletion (Garbe's SymSpell): two words one edit apart share a form when at most one letter is left out of
each, so a look-up of those forms finds every candidate without scanning the vocabulary.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

WORD = re.compile(r"[^\W\d_]+")
SHORTEST = 3  # a slip in a word of two letters makes most other words of two letters
LONGEST = 32  # bounds the forms of one word


class Spelling:
    """Corrects words that are not known; 1 edit: a letter more, less or other, or two neighbours swapped.

    Known are the words of the examples and a lexicon, the most frequent first. A word becomes the one that most
    examples have, or else the most frequent of the lexicon.
    """

    def __init__(self, texts: Iterable[str], lexicon: Sequence[str] = ()) -> None:
        self._counts = Counter(word for text in texts for word in WORD.findall(text))
        self._ranks = {word: rank for rank, word in reversed(list(enumerate(lexicon)))}
        self._forms: defaultdict[str, list[str]] = defaultdict(list)
        for word in filter(correctable, self._counts.keys() | self._ranks.keys()):
            for form in forms(word):
                self._forms[form].append(word)

    def correct(self, text: str) -> str:
        """The text, normalised already, with every unknown word replaced by a known one that is an edit away."""
        return WORD.sub(self._replacement, text)

    def _replacement(self, match: re.Match[str]) -> str:
        word = match.group()
        if not correctable(word) or word in self._counts or word in self._ranks:
            return word
        near = {other for form in forms(word) for other in self._forms.get(form, ()) if one_edit(word, other)}
        return min(near, key=self._preference, default=word)

    def _preference(self, word: str) -> tuple[int, int, str]:
        return (-self._counts[word], self._ranks.get(word, len(self._ranks)), word)


def correctable(word: str) -> bool:
    """Whether its length lies between the bounds."""
    return SHORTEST <= len(word) <= LONGEST


def forms(word: str) -> set[str]:
    """The word, and it with each letter left out once."""
    return {word} | {word[:index] + word[index + 1 :] for index in range(len(word))}


def one_edit(left: str, right: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours turns one word into the other.

    Words that share a form may be two edits apart: each may have lost another letter.
    """
    start = next((index for index, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    if start is None:
        return abs(len(left) - len(right)) == 1
    a, b = left[start:], right[start:]
    swapped = a[1::-1] + a[2:] == b
    return swapped or a[1:] == b[1:] or a[1:] == b or a == b[1:]
