"""What became of one request: its answer against the one that had to come, word for word."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from autoglm import errors
from autoglm.contract.error import ErrorBody


class Verdict(StrEnum):
    """Of a request that did not get its answer, or not only its answer."""

    LOST = "lost"  # a text with a hole, or neither an answer nor a documented error
    DOUBLED = "doubled"  # a text that says something twice, or something that is not in the answer
    DOCUMENTED = "documented"  # the error that docs/client.md promises
    UNDOCUMENTED = "undocumented"  # an error in any other form, which is lost as well
    CUT = "cut"  # the connection ended before the answer did


@dataclass(slots=True)
class Reply:
    """What a client has read so far; judge it when the connection is done with its request."""

    status: int = 0  # of HTTP; 0 where none came
    text: str = ""
    ends: int = 0  # finish reasons told; one of a whole answer
    is_closed: bool = False  # the body came to its end: `[DONE]`, or a JSON object
    is_cut: bool = False
    error: Any = None  # decoded, of an error response or an error event
    fallback: str | None = None  # what stood in, as the response marks it


def judge(reply: Reply, expected: str) -> frozenset[Verdict]:
    """Everything that is to be said of a reply; nothing of the expected answer."""
    if reply.is_cut:
        return compared(reply.text, expected, is_whole=False) | {Verdict.CUT}
    if reply.error is not None or reply.status != 200:
        return compared(reply.text, expected, is_whole=False) | failed(reply)
    verdicts = compared(reply.text, expected, is_whole=True)
    if not reply.is_closed or not reply.ends:
        verdicts |= {Verdict.LOST}
    return verdicts | ({Verdict.DOUBLED} if reply.ends > 1 else set())


def compared(text: str, expected: str, *, is_whole: bool) -> frozenset[Verdict]:
    """Whether words are missing or too many; of a text that broke off, before the place where it did."""
    if text == expected or (not is_whole and expected.startswith(text)):
        return frozenset()
    got, meant = Counter(text.split()), Counter(expected.split())
    verdicts = {Verdict.DOUBLED} if got - meant else set()
    if not verdicts or (is_whole and meant - got):
        verdicts.add(Verdict.LOST)
    return frozenset(verdicts)


def failed(reply: Reply) -> frozenset[Verdict]:
    """Of an error response, or of a stream that an error event ended."""
    is_documented = reply.status in (200, status_of(reply.error)) and status_of(reply.error) is not None
    return frozenset({Verdict.DOCUMENTED} if is_documented else {Verdict.UNDOCUMENTED, Verdict.LOST})


def status_of(error: Any) -> int | None:
    """The HTTP status that belongs to a documented error body; None of anything else."""
    try:
        detail = ErrorBody.model_validate(error, strict=True).error
    except ValidationError:
        return None
    return STATUSES.get(detail.code or "") if detail.request_id else None


def statuses(tree: type[errors.APIStatusError]) -> dict[str, int]:
    """Each code of the error tree with its status."""
    found = {tree.code: tree.status}
    for cls in tree.__subclasses__():
        found |= statuses(cls)
    return found


STATUSES = statuses(errors.APIStatusError)
