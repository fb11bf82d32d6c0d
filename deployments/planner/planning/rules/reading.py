"""An instruction that rules understand, as a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from autoglm.contract.plan import Plan
from deployments.planner.planning.rules import arithmetic
from deployments.planner.planning.rules.demand import is_demand
from deployments.planner.planning.rules.draft import Draft, ServedNames
from deployments.planner.planning.rules.frame import is_aside, is_frame
from deployments.planner.planning.rules.intent import Wordings
from deployments.planner.planning.rules.intents import INTENTS
from deployments.planner.planning.rules.layout import Layout
from deployments.planner.planning.rules.lexer import UNREAD, Lexer
from deployments.planner.planning.rules.scene import Scene
from deployments.planner.planning.rules.token import Token, is_ideograph
from deployments.planner.references import references

MAX_DEMAND = 2_000  # characters in which an act is looked for; what is asked stands at the start
MAX_REDUCTIONS = 200  # each shortens the scene or ends; what is asked for so often is no one's sentence


@dataclass(frozen=True, slots=True)
class Grammar:
    """Compiled once; reading keeps nothing, so that threads may share it."""

    layout: Layout
    wordings: Wordings

    @classmethod
    def of(cls, today: Callable[[], date]) -> Grammar:
        """`today` is what `tomorrow` counts from."""
        return cls(Layout(Lexer(today)), Wordings(INTENTS))

    def read(self, instruction: str, served: ServedNames) -> Plan | None:
        """The plan; None where a part of the instruction is not understood."""
        scene = Scene(self.layout.tokens(instruction))
        if UNREAD in scene.tokens:
            return None
        draft = Draft(served, language="zh" if any(map(is_ideograph, instruction)) else "en")
        for _ in range(MAX_REDUCTIONS):
            if not self._reduce(scene, draft):
                return _plan(scene, draft)
        return None

    def asks_for_a_tool(self, instruction: str) -> bool:
        """Whether a sentence of it asks for what language alone cannot do or know."""
        sentences = Scene(self.layout.tokens(instruction[:MAX_DEMAND])).sentences()
        return any(is_demand([token.text for token in sentence if token.kind == "word"]) for sentence in sentences)

    def _reduce(self, scene: Scene, draft: Draft) -> bool:
        """One reduction; False where none is left."""
        return arithmetic.reduce(scene) or self.wordings.reduce(scene, draft) or arithmetic.reduce(scene, loose=True)


def _plan(scene: Scene, draft: Draft) -> Plan | None:
    if not _is_understood(scene.sentences()):
        return None
    says = [_says(token, draft) for token in scene.tokens if token.is_result]
    answer = draft.said("; ", "；").join(dict.fromkeys(says))  # noqa: RUF001
    return draft.plan(answer, [reference.step for reference in references(answer)])


def _says(token: Token, draft: Draft) -> str:
    """What a value came to; an expression is computed for it."""
    if token.kind == "number" and token.value.compound:
        begun = len(draft.steps)
        step = draft.computed(token.value)
        draft.explain(begun, token.written)
        return f"{token.value.text} = ${{{step}.value}}"
    return token.says or ""


def _is_understood(sentences: Sequence[Sequence[Token]]) -> bool:
    """Whether something is found out, and nothing is said beside it but what is an aside before it."""
    answered = [any(token.is_result for token in sentence) for sentence in sentences]
    if not any(answered):
        return False
    last = max(place for place, is_answered in enumerate(answered) if is_answered)
    return all(
        all(token.is_result or is_frame(token) for token in sentence)
        or (not is_answered and place < last and is_aside(sentence))
        for place, (sentence, is_answered) in enumerate(zip(sentences, answered, strict=True))
    )
