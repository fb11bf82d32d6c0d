"""Counts in texts."""

from __future__ import annotations

from deployments.planner.planning.rules.draft import Draft
from deployments.planner.planning.rules.intent import Intent, figure, result
from deployments.planner.planning.rules.pattern import Captures
from deployments.planner.planning.rules.token import Expression, Token

CHINESE = {"words": "个词", "characters": "个字符", "sentences": "句", "unique_words": "个不同的词"}


def counted(captures: Captures, draft: Draft) -> Token:
    """One number, or what several come to in words."""
    step = draft.tool("text_statistics", text=captures["text"])
    says = [_says(draft, step, count) for count in captures["counts"]]
    if len(says) == 1:
        return figure(step, f".{captures['counts'][0]}", says[0])
    return Token("name", "", result(step, ""), says=", ".join(says))


def counted_together(captures: Captures, draft: Draft) -> Token | None:
    """The sum of one count over several texts."""
    if len(captures["texts"]) < 2 or len(captures["counts"]) != 1:
        return None
    steps = [draft.tool("text_statistics", text=text) for text in captures["texts"]]
    sum_of = " + ".join(result(step, f".{captures['counts'][0]}") for step in steps)
    return Token("number", "", Expression(sum_of, compound=True), says="")


def most_common(captures: Captures, draft: Draft) -> Token:
    """The word that occurs most often."""
    step = draft.tool("text_statistics", text=captures["text"])
    word, count = (result(step, f".most_common[0].{field}") for field in ("word", "count"))
    return Token("name", "", word, says=f"{word} ({count})")


def _says(draft: Draft, step: str, count: str) -> str:
    number = result(step, f".{count}")
    return draft.said(f"{number} {count.replace('_', ' ')}", f"{number}{CHINESE[count]}")


def composed(captures: Captures, draft: Draft) -> Token | None:
    """What the model writes, for another step to work on."""
    if draft.served.chat is None:
        return None
    step = draft.step("model", draft.served.chat, {"prompt": f"{captures['verb']} {captures['what']}"})
    return Token("said", "", result(step, ""), says=result(step, ""))


HAS = "[are|is|does|do|has|have]"
WRITING = (
    Intent(("{verb:verb} {what:clause}",), composed),
    Intent(
        (
            f"(how many|number of|count [of]|length in) [all] {{counts:counts}} {HAS} [in|of|for] "
            f"[text|sentence|phrase] "
            "[:] {text:text} [have|has|contain|contains]",
            "how many {counts:counts} (has|have|are in|does|do) {text:text} [have|contain]",
            "{text:text} [这句话|这段话] [里|中|里面] [一共] [有] (多少|几) [个] {counts:counts}",
        ),
        counted,
    ),
    Intent(
        (
            f"(how many|number of|count [of]) [all] {{counts:counts}} {HAS} [in|of] {{texts:texts}} [have|has|contain] "
            "[together|altogether|in total|combined]",
        ),
        counted_together,
    ),
    Intent(
        (
            "[what|which] [is] (most common|most frequent) word [is] (in|of) [text|sentence] [:] {text:text}",
            "(what|which) word (occurs|appears|comes|is used) (most often|most|most frequently) (in "
            "{text:text}|{text:recalled})",
            "{text:text} [中|里] [出现] [次数] (最多|最常见) 词 [是什么|是哪]",
        ),
        most_common,
    ),
)
