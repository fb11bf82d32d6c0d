"""An instruction as tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from deployments.planner.planning.rules import numerals
from deployments.planner.planning.rules.dates import read_date, read_time
from deployments.planner.planning.rules.token import Expression, Token, escaped
from deployments.planner.planning.words import words

# Words that change nothing in what an instruction asks. Patterns lose them too, so that both agree.
FILLERS = words(
    """
    the a an me please exactly there here just also then so kindly hey hi hello ok okay well us 的 请 吗 呢 啊 吧
    了 下 帮
    我 您 你 麻 烦 个 把 将
    """
)
SIGNS = {
    "×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "**", "，": ",", "。": ".", "？": "?", "；": ";",  # noqa: RUF001
    "：": ":", "！": "!", "（": "(", "）": ")", "＋": "+", "、": ",",  # noqa: RUF001
}  # fmt: skip
QUOTES = {'"': '"', "“": "”", "「": "」", "『": "』", "`": "`", "«": "»", "‘": "’", "'": "'"}  # noqa: RUF001
AFTER_QUOTE = re.compile(r"[\s.,;:!?)\]]|[^\x00-\x7f]|$")

MAX_DOCUMENTS = 20  # places at which JSON is looked for: each may be read to the end of the instruction
MAX_TOKENS = 300  # matching tries wordings at every token; a text in quotes is one
UNREAD = Token("word", "")  # which no wording has
MAX_QUOTES = 20  # marks inside of one quoted text that do not end it

SPACE = re.compile(r"\s+")
NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\d)", re.IGNORECASE)
PATH = re.compile(r"[A-Za-z_]\w*(?:\[\d*\]|\.[A-Za-z_]\w*)+(?!\w)", re.ASCII)
WORD = re.compile(r"°[CFcf]\b|(?:km|m|mi)/[hs]\b|[^\W\d_]+(?:['’_-][^\W\d_]+)*", re.IGNORECASE)  # noqa: RUF001
IDEOGRAPH = re.compile(r"[㐀-鿿]")
OPERATOR = re.compile(r"\*\*|//")


@dataclass(frozen=True, slots=True)
class Lexer:
    """Reads what stands at one place, the longest form first."""

    today: Callable[[], date]

    def tokens(self, text: str) -> list[Token]:
        """All tokens of a text but the fillers; a line's end is the sign `;`. One that is too long ends in `UNREAD`."""
        found: list[Token] = []
        lead = ""
        for count, token in enumerate(self._all(text)):
            if count == MAX_TOKENS:
                return [*found, UNREAD]
            if token.kind == "word" and token.text in FILLERS:
                lead += f"{token.written} "
            else:
                found.append(token.led(lead))
                lead = ""
        return found

    def _all(self, text: str) -> Iterator[Token]:
        at, tries = 0, MAX_DOCUMENTS
        while at < len(text):
            if space := SPACE.match(text, at):
                at = space.end()
                if "\n" in space[0]:
                    yield Token("sign", ";")
                continue
            if text[at] in "{[" and tries:
                tries -= 1
                token, end = _json(text, at) or self._next(text, at)
            else:
                token, end = self._next(text, at)
            yield token
            at = end

    def _next(self, text: str, at: int) -> tuple[Token, int]:
        for form in (_quoted, self._moment, _number, _path, _word):
            if found := form(text, at):
                return found
        end = operator.end() if (operator := OPERATOR.match(text, at)) else at + 1
        sign = text[at:end]
        return Token("sign", SIGNS.get(sign, sign), written=sign), end

    def _moment(self, text: str, at: int) -> tuple[Token, int] | None:
        if span := read_date(text, at, self.today):
            return Token("date", "", span.value, text[at : span.end]), span.end
        if span := read_time(text, at):
            return Token("time", "", span.value, text[at : span.end]), span.end
        return None


def _quoted(text: str, at: int) -> tuple[Token, int] | None:
    """A quoted text; a straight or raised single quote is one only where it does not stand inside a word."""
    close = QUOTES.get(text[at])
    if close is None or (text[at] in "'‘" and at > 0 and text[at - 1].isalnum()):  # noqa: RUF001
        return None
    end = at
    for _ in range(MAX_QUOTES):
        end = text.find(close, end + 1)
        if end == -1 or AFTER_QUOTE.match(text, end + 1):
            break
    if end <= at + 1 or not AFTER_QUOTE.match(text, end + 1):
        return None
    return Token("text", "", escaped(text[at + 1 : end]), text[at : end + 1]), end + 1


def _json(text: str, at: int) -> tuple[Token, int] | None:
    try:
        value, end = json.JSONDecoder().raw_decode(text, at)
    except (ValueError, RecursionError):
        return None
    return Token("json", "", escaped(value), text[at:end]), end


def _number(text: str, at: int) -> tuple[Token, int] | None:
    if found := NUMBER.match(text, at):
        number = float(found[0].replace(",", ""))
        return Token("number", "", Expression.of(number), found[0]), found.end()
    if found := numerals.CHINESE.match(text, at):
        return Token("number", "", Expression.of(numerals.chinese(found[0])), found[0]), found.end()
    return None


def _path(text: str, at: int) -> tuple[Token, int] | None:
    found = PATH.match(text, at)
    return (Token("path", "", found[0], found[0]), found.end()) if found else None


def _word(text: str, at: int) -> tuple[Token, int] | None:
    if found := IDEOGRAPH.match(text, at):
        return Token("word", found[0], written=found[0]), found.end()
    if not (found := WORD.match(text, at)):
        return None
    if (number := _in_words(text, at)) is not None:
        return number
    word = re.split("[㐀-鿿]", found[0])[0]
    return Token("word", word.casefold(), written=word), at + len(word)


def _in_words(text: str, at: int) -> tuple[Token, int] | None:
    """A number in English words: `twenty-five`, `two dozen`. `one` alone is a pronoun as often as a number."""
    words, end = [], at
    for found in re.compile(r"[A-Za-z]+").finditer(text, at):
        if text[end : found.start()].strip(" -") or found[0].casefold() not in numerals.WORDS:
            break
        words.append(found[0].casefold())
        end = found.end()
    if not words or words in (["one"], ["dozen"], ["hundred"], ["thousand"], ["million"], ["billion"]):
        return None
    return Token("number", "", Expression.of(numerals.english(words)), text[at:end]), end
