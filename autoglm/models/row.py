"""Table rows: lists of finite numbers."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from autoglm.errors import BadRequestError, UnprocessableEntityError

FLOAT32_MAX = 3.4028234663852886e38  # the head computes in float32, where anything larger is infinite


def check_row(item: Any, index: int, width: int) -> list[float]:
    """The row as floats, `width` of them.

    Raises BadRequestError where it is no list, UnprocessableEntityError naming `inputs[i][j]` for a bad cell.
    """
    param = f"inputs[{index}]"
    values = item.tolist() if hasattr(item, "tolist") else item
    if not isinstance(values, list | tuple):
        raise BadRequestError(f"{param}: got {type(item).__name__}; a list of {width} numbers is expected", param=param)
    if len(values) != width:
        raise UnprocessableEntityError(f"{param}: got {len(values)} values; {width} numbers are expected", param=param)
    return [_cell(value, f"{param}[{j}]") for j, value in enumerate(values)]


def _cell(value: Any, param: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise UnprocessableEntityError(f"{param}: got {value!r:.40}; a finite number is expected", param=param)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not abs(number) <= FLOAT32_MAX:  # false for NaN too
        raise UnprocessableEntityError(f"{param}: got {value!r:.40}; a finite number is expected", param=param)
    return number
