"""The time now, and in other places."""

from __future__ import annotations

from deployments.planner.planning.rules.draft import Draft
from deployments.planner.planning.rules.intent import Intent, result
from deployments.planner.planning.rules.pattern import Captures
from deployments.planner.planning.rules.token import Token


def converted(captures: Captures, draft: Draft) -> Token:
    """The time in one place when it is so late in another."""
    step = draft.tool("convert_time", **captures["moment"], to_zone=captures["to_zone"])
    clock, day, zone = (result(step, path) for path in (".clock", ".date", ".zone"))
    return Token("time", "", clock, says=draft.said(f"{clock} on {day} ({zone})", f"{day} {clock}（{zone}）"))  # noqa: RUF001


def now(captures: Captures, draft: Draft) -> Token:
    """The time now, in a place or in UTC."""
    step = draft.tool("current_time", zone=captures.get("zone"))
    says = f"{result(step, '.time')} ({result(step, '.zone')})"
    return Token("name", "", result(step, ".time"), says=says)


THERE = "(is it|will it be|would it be|it is|is time|does clock say|do clocks show|does clock show|was it|time is it)"
SAYS = "(it is|it's|it was|clock shows)"
CLOCK = (
    Intent(
        (
            f"[at] (what|which) [time|hour] [{THERE}] (in|at) {{to_zone:place}} [time] [is it] "
            f"(when|if|while|as) {SAYS} "
            "{moment:moment}",
            f"(when|if|as|while) {SAYS} {{moment:moment}} [,] (what|which) [time|hour] {THERE} (in|at) "
            f"{{to_zone:place}}",
            "(what|what's|which|how late) [is] [time|hour] [is] {moment:moment} (in|at|for) {to_zone:place} [time]",
            "[convert|translate|turn] {moment:moment} (in|to|into) {to_zone:place} [time]",
            "[当] {moment:moment} [,] [时|时候] [,] {to_zone:place} [时间|当地时间] [是|为|现在是] "
            "[几点|几点钟|什么时间|什么时候|多少]",
        ),
        converted,
    ),
    Intent(
        (
            "(what|which) [is] [current|local] time [is it] [right now|now|at moment|currently] (in|at) {zone:place} "
            "[right now|now|at moment|currently]",
            "current time (in|at) {zone:place}",
            "what time is it [right now|now|at moment|currently]",
            "{zone:place} (现在|当前|目前) [是|时间是] (几点|几点钟|什么时间|时间)",
            "(现在|当前|目前) {zone:place} [是|时间是] (几点|几点钟|什么时间)",
            "(现在|当前|目前) [是|时间是] (几点|几点钟|什么时间)",
        ),
        now,
    ),
)
