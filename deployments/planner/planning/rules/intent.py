"""An intent: how something that a tool can do is asked for, and the step that does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deployments.planner.planning.rules.draft import Draft
from deployments.planner.planning.rules.pattern import Captures, Pattern
from deployments.planner.planning.rules.scene import Scene
from deployments.planner.planning.rules.slots import SLOTS
from deployments.planner.planning.rules.token import Expression, Token

# Adds steps to the draft and gives the value that they come to; None where what was found cannot be served after all.
Build = Callable[[Captures, Draft], Token | None]


@dataclass(frozen=True)
class Intent:
    """Its wordings, and what is made of what fills their slots."""

    wordings: tuple[str, ...]
    build: Build


class Wordings:
    """The compiled patterns of many intents."""

    def __init__(self, intents: Sequence[Intent]) -> None:
        self._patterns = [(Pattern(wording, SLOTS), intent) for intent in intents for wording in intent.wordings]

    def reduce(self, scene: Scene, draft: Draft) -> bool:
        """Put one value in the place of a span; False where no wording matches anywhere.

        The leftmost span comes first, and of those that begin there the longest.
        """
        words = {token.text for token in scene.tokens}
        likely = [(pattern, intent) for pattern, intent in self._patterns if pattern.may_match(words)]
        return any(_reduce_at(scene, draft, at, likely) for at in range(len(scene.tokens)))


def _reduce_at(scene: Scene, draft: Draft, at: int, patterns: Sequence[tuple[Pattern, Intent]]) -> bool:
    found = ((pattern.match(scene, at), intent) for pattern, intent in patterns)
    matches = [(match, intent) for match, intent in found if match is not None]
    for match, intent in sorted(matches, key=lambda pair: -pair[0].end):
        begun = len(draft.steps)
        value = intent.build(match.captures, draft)
        if value is not None:
            draft.explain(begun, scene.words(match.start, match.end))
            scene.reduce(match.start, match.end, value)
            return True
    return False


def result(step: str, path: str) -> str:
    """A reference to a part of a step's result."""
    return f"${{{step}{path}}}"


def figure(step: str, path: str, says: str) -> Token:
    """A number that a step finds out."""
    return Token("number", "", Expression(result(step, path)), says=says)
