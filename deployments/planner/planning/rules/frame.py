"""What may be left over of an instruction that is understood: words that ask, and join, and tell nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from deployments.planner.planning.rules.demand import is_demand
from deployments.planner.planning.rules.token import Token
from deployments.planner.planning.words import words

FRAME = words(
    """
    what what's whats which is are was were be being it it's its that's that this these how how's many much do does
    did can could would will should may tell me give show find get compute calculate determine work out evaluate say
    return report let know see need want like i i'd you your we our my to for in on at of and or also both as with
    when if by each them they come comes make makes total altogether together answer result value number equal
    equals take add up solve all too finally first second next after afterwards thanks thank question quick whether
    have has one two words word expressed 等 于 是 多 少 几 什 么 计 算 求 出 和 与 并 且 然 后 再 以 及 给 告 诉
    知 道 想 要 问 一 共 总 结 果 答 案 得
    为 有 那 这 它 还 能 不 可 时 候 天 数 值 呢 所 先 最 now
    """
)
SIGNS = words(
    """
    , : = ( ) - ' " * … /
    """
)
QUESTIONS = words(
    """
    who whose where why how what which when whom 谁 哪 怎 为 什 几 多 吗
    """
)


def is_frame(token: Token) -> bool:
    """Whether a token that was not understood says nothing."""
    return (token.kind == "word" and token.text in FRAME) or (token.kind == "sign" and token.text in SIGNS)


def is_aside(sentence: Sequence[Token]) -> bool:
    """Whether a sentence only tells something: it asks nothing, and has nothing done."""
    words = [token.text for token in sentence if token.kind == "word"]
    return not QUESTIONS.intersection(words) and not is_demand(words)
