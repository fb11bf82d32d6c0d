"""Quantities in other units."""

from __future__ import annotations

from deployments.planner.planning.rules.draft import Draft
from deployments.planner.planning.rules.intent import Intent, figure, result
from deployments.planner.planning.rules.pattern import Captures
from deployments.planner.planning.rules.token import Token
from deployments.planner.planning.rules.units import UNEVEN


def converted(captures: Captures, draft: Draft) -> Token | None:
    """The quantity as a number of the other unit."""
    (amount, unit), to_unit = captures["measure"], captures["unit"]
    if unit == to_unit or {unit, to_unit}.intersection(UNEVEN):
        return None
    step = draft.tool("convert_unit", value=draft.amount(amount), from_unit=unit, to_unit=to_unit)
    return figure(step, ".value", f"{amount.text} {unit} = {result(step, '.value')} {to_unit}")


MEASURES = (
    Intent(
        (
            "[convert|turn|change|express|translate|transform|give|put|write] {measure:measure} (to|into|in|as) "
            "{unit:unit}",
            "how (many|much) {unit:unit} [is|are|be|make|makes|equal|equals|do|does] [in|it] {measure:measure} "
            "[make|equal|have]",
            "how (many|much) [is|are] {measure:measure} (in|as) {unit:unit}",
            "(what|what's|how much|how many) [is|are|would be] {measure:measure} [expressed|measured|given] "
            "(in|as) {unit:unit}",
            "how (much|far|long|heavy|hot|cold) (is|are) {measure:measure} (in) {unit:unit}",
            "{measure:measure} (is|are|equals|equal) how many {unit:unit}",
            "{measure:measure} [相当于|等于|是|合|换算成|换成|转换成|转换为|换算为|转成|为|折合] [多少|几] {unit:unit}",
            "(换算|转换) {measure:measure} (到|成|为) {unit:unit}",
        ),
        converted,
    ),
)
