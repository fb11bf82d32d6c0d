"""Days between dates, dates before and after others, and their weekdays."""

from __future__ import annotations

from typing import Any

from deployments.planner.planning.rules.draft import Draft
from deployments.planner.planning.rules.intent import Intent, figure, result
from deployments.planner.planning.rules.pattern import Captures
from deployments.planner.planning.rules.token import Expression, Token


def between(captures: Captures, draft: Draft) -> Token:
    """Days, as a number."""
    step = draft.tool("days_between", start=captures["start"], end=captures["end"])
    days = result(step, ".days")
    return figure(step, ".days", draft.said(f"{days} days", f"{days}天"))


def later(captures: Captures, draft: Draft) -> Token:
    """The date so much after another."""
    return _moved(captures, draft, sign=1)


def earlier(captures: Captures, draft: Draft) -> Token:
    """The date so much before another."""
    return _moved(captures, draft, sign=-1)


def weekday(captures: Captures, draft: Draft) -> Token:
    """The name of a date's day."""
    step = draft.tool("add_to_date", date=captures["date"], days=0)
    says = result(step, ".weekday")
    return Token("name", "", says, says=says)


def _moved(captures: Captures, draft: Draft, sign: int) -> Token:
    amount, unit = captures["by"]
    step = draft.tool("add_to_date", date=captures["date"], **{unit: _signed(draft, amount, sign)})
    day = result(step, ".date")
    return Token("date", "", day, says=f"{day} ({result(step, '.weekday')})")


def _signed(draft: Draft, amount: Expression, sign: int) -> Any:
    return draft.amount(amount if sign > 0 else Expression(f"-{amount.operand}", compound=amount.literal is None))


CALENDAR = (
    Intent(
        (
            "[how many|number of] [calendar] days [are|is|lie|lay|pass|passed|elapsed|elapse|were] [it] "
            "(between|from) {start:date} (and|to|until|till|through|up to) {end:date}",
            "[how long is it|difference|distance|gap|time] in days (between|from) {start:date} "
            "(and|to|until|till) {end:date}",
            "how many days [is|are] (until|till) {end:date} (from|starting) {start:date}",
            "how many days (after|since) {start:date} (is|comes) {end:date}",
            "how many days (before) {end:date} (is|comes) {start:date}",
            "how long [is it] (between|from) {start:date} (and|to|until|till) {end:date} in days",
            "[从|自] {start:date} [起] (到|至|和|与) {end:date} [之间|中间|期间] "
            "[相隔|相差|一共|总共|共|隔|差] [有|是|过] "
            "(多少天|几天|天数) [多少]",
        ),
        between,
    ),
    Intent(
        (
            "[what|which] [date] [is|comes|falls|will be|would be] [it|date] {by:duration} "
            "(after|from|past|later than) "
            "{date:date}",
            "add {by:duration} to {date:date}",
            "{date:date} (plus|+) {by:duration}",
            "{by:duration} [be] added to {date:date}",
            "[what|which] [date] [is] in {by:duration} from {date:date}",
            "{date:date} [再] (过|加|加上|往后|之后|后) {by:duration} [之后|后|以后] [是] "
            "[哪一天|哪天|什么日期|几月几号|几号|什么时候]",
            "{date:date} {by:duration} (之后|后|以后) [是] [哪一天|哪天|什么日期|几月几号|几号]",
        ),
        later,
    ),
    Intent(
        (
            "[what|which] [date] [is|was|comes|falls|lies] [it|date] {by:duration} (before|prior to|earlier than) "
            "{date:date}",
            "(subtract|take) {by:duration} from {date:date}",
            "{date:date} (minus|-) {by:duration}",
            "{date:date} {by:duration} (之前|前|以前) [是] [哪一天|哪天|什么日期|几月几号|几号]",
            "{date:date} (减|减去|往前|倒推) {by:duration} [是] [哪一天|哪天|什么日期|几月几号|几号]",
        ),
        earlier,
    ),
    Intent(
        (
            "(what|which) (day of week|weekday|day) [is|was|does|did|will be] {date:date} [be|fall on|fall|on]",
            "on (what|which) (day of week|weekday|day) (does|did|will|is|was) {date:date} [fall|be]",
            "(day of week|weekday) (of|for|on) {date:date}",
            "{date:date} [那天|那一天] [是] (星期几|周几|礼拜几)",
        ),
        weekday,
    ),
)
