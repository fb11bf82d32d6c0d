"""Texts, what is asked of them, and words as they stand."""

from __future__ import annotations

from deployments.planner.planning.rules.scene import Scene
from deployments.planner.planning.rules.slots.span import COMMAS, Found, after_back, listed, names, skip, words

COUNTS = {
    "words": "words", "word": "words", "词": "words", "单词": "words",
    "characters": "characters", "letters": "characters", "chars": "characters", "字": "characters",
    "字符": "characters", "sentences": "sentences", "sentence": "sentences", "句": "sentences", "句子": "sentences",
}  # fmt: skip
LABELS = {
    "positive": "positive", "good": "positive", "favourable": "positive", "favorable": "positive", "正面": "positive",
    "积极": "positive", "好评": "positive", "negative": "negative", "bad": "negative", "unfavourable": "negative",
    "负面": "negative", "消极": "negative", "差评": "negative",
}  # fmt: skip
LONGEST_WORD = 2  # of the two tables above, in tokens
WRITE = ("write", "compose", "draft", "summarise", "summarize", "translate", "explain", "describe", "invent", "rewrite")
ASKING = ("how", "count", "what", "which", "tell", "give", "say", "classify", "convert", "find", "数", "统", "告")


def text(scene: Scene, at: int) -> Found:
    """A quoted text, what a model says, or the one before."""
    if scene.kind_at(at) in ("text", "said"):
        yield at + 1, scene.tokens[at].value
    elif (end := after_back(scene, at, "text")) and (before := scene.before(at, ("text", "said"))):
        yield end, before.value


def texts(scene: Scene, at: int) -> Found:
    """One text or more."""
    if scene.kind_at(at) == "texts":
        yield at + 1, scene.tokens[at].value
        return
    found = listed(scene, at, "text")
    for count in range(len(found), 0, -1):
        yield found[count - 1][0], tuple(token.value for _, token in found[:count])


def recalled(scene: Scene, at: int) -> Found:
    """No words: the text that was spoken of before."""
    if before := scene.before(at, ("text", "said")):
        yield at, before.value


def labels(scene: Scene, at: int) -> Found:
    """The labels that were found out for texts."""
    if scene.kind_at(at) == "labels":
        yield at + 1, scene.tokens[at].value


def label(scene: Scene, at: int) -> Found:
    """`positive` or `negative`, by any of their names."""
    for end, name in names(scene, at, LONGEST_WORD):
        if name in LABELS:
            yield end, LABELS[name]


def counts(scene: Scene, at: int) -> Found:
    """What is to be counted in a text: words, characters, sentences; several in a list."""
    found: list[str] = []
    while pair := _count(scene, at):
        at, name = pair
        found.append(name)
        yield at, tuple(found)
        at = skip(scene, at, *COMMAS)
        at = skip(scene, at, "how", "多")
        at = skip(scene, at, "many", "少")


def verb(scene: Scene, at: int) -> Found:
    """A word that has something written, at the beginning of a sentence."""
    if scene.is_at(at, *WRITE) and (at == 0 or scene.is_at(at - 1, ".", "!", "?", ";", ":")):
        yield at + 1, scene.tokens[at].written


def rest(scene: Scene, at: int) -> Found:
    """All words to the end of the sentence, as they stand."""
    yield from words(scene, at, scene.sentence_end(at))


def clause(scene: Scene, at: int) -> Found:
    """All words up to where something else is asked for."""
    for end in range(at + 1, scene.sentence_end(at) + 1):
        if scene.is_at(end, *COMMAS, ".") and scene.is_at(skip(scene, end + 1, *COMMAS), *ASKING):
            yield from words(scene, at, end)
            return


def _count(scene: Scene, at: int) -> tuple[int, str] | None:
    if scene.is_at(at, "unique", "distinct", "different") and scene.is_at(at + 1, "words"):
        return at + 2, "unique_words"
    return next(((end, COUNTS[name]) for end, name in names(scene, at, LONGEST_WORD) if name in COUNTS), None)
