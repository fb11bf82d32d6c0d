"""Arithmetic between numbers: runs of operands and operators become one expression, which `calculate` works out."""

from __future__ import annotations

from dataclasses import dataclass

from deployments.planner.planning.rules.scene import Scene
from deployments.planner.planning.rules.token import Expression, Token

# Longest first: `to the power of` begins with no other, `divided by` ends with none.
OPERATORS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("to", "power", "of"), "**"),
    (("%", "of"), "/ 100 *"),
    (("percent", "of"), "/ 100 *"),
    (("per", "cent", "of"), "/ 100 *"),
    (("raised", "to", "power", "of"), "**"),
    (("multiplied", "by"), "*"),
    (("divided", "by"), "/"),
    (("increased", "by"), "+"),
    (("decreased", "by"), "-"),
    (("乘", "以"), "*"),
    (("除", "以"), "/"),
    (("加", "上"), "+"),
    (("减", "去"), "-"),
    *(((sign,), sign) for sign in ("+", "-", "*", "/", "**", "//", "%")),
    (("plus",), "+"),
    (("minus",), "-"),
    (("times",), "*"),
    (("x",), "*"),
    (("over",), "/"),
    (("mod",), "%"),
    (("modulo",), "%"),
    (("加",), "+"),
    (("减",), "-"),
    (("乘",), "*"),
)
TIGHT = ("of", "double", "twice", "triple", "half")  # `the square root of 16 plus 9` is 13
FUNCTIONS = ("sqrt", "round", "abs", "min", "max", "sum")


@dataclass(slots=True)
class Run:
    """What has been read of one run: its text so far, and how many operators and open parentheses are in it."""

    scene: Scene
    at: int
    parts: list[str]
    operators: int = 0
    depth: int = 0
    functions: int = 0

    def read(self) -> bool:
        """Operands and operators in turn; False where it ends with an operator or an open parenthesis."""
        while self._operand():
            if not self._operator():
                return self.depth == 0
        return False

    def _operand(self) -> bool:
        while self._opening():
            pass
        if self.scene.kind_at(self.at) != "number":
            return False
        self.parts.append(self.scene.tokens[self.at].value.operand)
        self.at += 1
        while self.depth and self.scene.is_at(self.at, ")"):
            self._take(")")
            self.depth -= 1
        return True

    def _opening(self) -> bool:
        if self.scene.is_at(self.at, *FUNCTIONS) and self.scene.is_at(self.at + 1, "("):
            self.functions += 1
            self._take(self.scene.tokens[self.at].text)
        if self.scene.is_at(self.at, "("):
            self._take("(")
            self.depth += 1
            return True
        if self.scene.is_at(self.at, "-") and self.scene.kind_at(self.at + 1) in ("number", "sign"):
            self._take("-")
            return True
        return False

    def _operator(self) -> bool:
        if self.functions and self.depth and self.scene.is_at(self.at, ","):
            self._take(",")
            return True
        found = operator(self.scene, self.at)
        if found is None:
            return False
        sign, self.at = found
        self.parts.append(sign)
        self.operators += 1
        return True

    def _take(self, text: str) -> None:
        self.parts.append(text)
        self.at += 1


def reduce(scene: Scene, *, loose: bool = False) -> bool:
    """Put one expression in the place of the leftmost run that is whole; False where there is none.

    What follows a word that takes the next number alone is a run only where it is read `loose`.
    """
    places = range(len(scene.tokens))
    return any(_reduce_at(scene, at) for at in places if loose or not (at and scene.is_at(at - 1, *TIGHT)))


def operator(scene: Scene, at: int) -> tuple[str, int] | None:
    """The operator that begins here, and the place behind it.

    A comma may stand before it where all that is to the left of it is one result: `the sum of 2 and 4, divided by 3`.
    """
    start = at + 1 if scene.is_at(at, ",") and scene.tokens[at - 1].is_result else at
    for words, sign in OPERATORS:
        if all(scene.is_at(start + place, word) for place, word in enumerate(words)):
            return sign, start + len(words)
    return None


def _reduce_at(scene: Scene, at: int) -> bool:
    if _follows_operator(scene, at):
        return False
    run = Run(scene, at, [])
    if not run.read() or not run.operators + run.functions:
        return False
    text = " ".join(run.parts).replace("( ", "(").replace(" )", ")").replace(" ,", ",")
    for name in FUNCTIONS:
        text = text.replace(f"{name} (", f"{name}(")
    scene.reduce(at, run.at, Token("number", "", Expression(text, compound=True), says=""))
    return True


def _follows_operator(scene: Scene, at: int) -> bool:
    """Whether what stands before belongs to the same expression, and is not a number yet."""
    return any(
        all(scene.is_at(at - len(words) + place, word) for place, word in enumerate(words))
        for words, _ in OPERATORS
        if at >= len(words)
    )
