"""Arithmetic that is said in words; operators between numbers are read by `arithmetic`."""

from __future__ import annotations

from deployments.planner.planning.rules.draft import Draft
from deployments.planner.planning.rules.intent import Build, Intent
from deployments.planner.planning.rules.pattern import Captures
from deployments.planner.planning.rules.token import Expression, Token


def formula(form: str) -> Build:
    """A value by an expression in which the slots stand as {a} and {b}, `{all}` for a list."""

    def build(captures: Captures, draft: Draft) -> Token:
        del draft  # nothing is computed until it is needed
        parts = {name: value.operand for name, value in captures.items() if isinstance(value, Expression)}
        items = [item.operand for item in captures.get("of", ())]
        text = form.format(
            **parts, sum=" + ".join(items), product=" * ".join(items), all=", ".join(items), n=len(items)
        )
        return Token("number", "", Expression(text, compound=True), says="")

    return build


FIGURES = (
    Intent(("square root of {a:number}", "{a:number} 平方根"), formula("sqrt({a})")),
    Intent(("cube root of {a:number}", "{a:number} 立方根"), formula("{a} ** (1 / 3)")),
    Intent(("{a:number} squared", "square of {a:number}", "{a:number} 平方"), formula("{a} ** 2")),
    Intent(("{a:number} cubed", "cube of {a:number}", "{a:number} 立方"), formula("{a} ** 3")),
    Intent(
        ("{b:number} {a:number} %", "{b:number} 百 分 之 {a:number}"),
        formula("{a} / 100 * {b}"),
    ),
    Intent(("half of {a:number}", "half {a:number}", "halve {a:number}", "{a:number} 一半"), formula("{a} / 2")),
    Intent(("double [of] {a:number}", "twice {a:number}", "{a:number} doubled", "{a:number} 两倍"), formula("2 * {a}")),
    Intent(("triple [of] {a:number}", "{a:number} tripled"), formula("3 * {a}")),
    Intent(("absolute value of {a:number}",), formula("abs({a})")),
    Intent(("round {a:number}", "{a:number} rounded"), formula("round({a})")),
    Intent(("round {a:number} to {b:number} (decimals|decimal places|digits|places)",), formula("round({a}, {b})")),
    Intent(("add {a:number} (to|and|with) {b:number}", "{a:number} added to {b:number}"), formula("{b} + {a}")),
    Intent(
        ("(subtract|take|deduct) {a:number} (from|off|away from) {b:number}", "{a:number} less than {b:number}"),
        formula("{b} - {a}"),
    ),
    Intent(("multiply {a:number} (by|with|and) {b:number}",), formula("{a} * {b}")),
    Intent(("divide {a:number} by {b:number}", "ratio of {a:number} to {b:number}"), formula("{a} / {b}")),
    Intent(("raise {a:number} to [power of] {b:number}",), formula("{a} ** {b}")),
    Intent(("difference (between|of) {a:number} and {b:number}", "{a:number} 与 {b:number} 差"), formula("{a} - {b}")),
    Intent(("remainder of {a:number} (divided by|over|by) {b:number}",), formula("{a} % {b}")),
    Intent(
        (
            "[sum|total] [up] (sum|total|add [up|together]) [of] [numbers] [:] {of:numbers}",
            "{of:numbers} (总和|和|之和)",
        ),
        formula("{sum}"),
    ),
    Intent(
        ("product of {of:numbers}", "multiply {of:numbers} [together]", "{of:numbers} (乘积|积)"), formula("{product}")
    ),
    Intent(
        (
            "(average|mean|arithmetic mean) [value] of [numbers] [:] {of:numbers}",
            "average {of:numbers}",
            "{of:numbers} (平均|平均数|平均值)",
        ),
        formula("({sum}) / {n}"),
    ),
    Intent(
        (
            "(largest|biggest|greatest|highest|maximum|larger|bigger) [number|value|one] (of|among|in) {of:numbers}",
            "{of:numbers} [中] (最大|最大值|最大数)",
        ),
        formula("max({all})"),
    ),
    Intent(
        (
            "(smallest|least|lowest|minimum|min|smaller) [number|value|one] (of|among|in) {of:numbers}",
            "{of:numbers} [中] (最小|最小值|最小数)",
        ),
        formula("min({all})"),
    ),
)
