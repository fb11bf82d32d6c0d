"""Schemas from outside."""

from __future__ import annotations

import pytest

from autoglm.errors import ConfigError
from deployments.tools.schema import MESSAGE_CHARS, Schema

ORDER = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"type": "object", "required": ["price"]}}},
    "additionalProperties": False,
}


def test_a_fault_names_the_field() -> None:
    """Also one that is missing, or too many."""
    schema = Schema(ORDER)
    assert schema.fault({"items": [{"price": 1}]}) is None
    assert schema.fault({"items": [{}]}) == ("items.0.price", '"price" is a required property')
    assert (schema.fault({"itms": []}) or ("",))[0] == "itms"


def test_a_reference_to_elsewhere_is_not_followed() -> None:
    """The validator's library would fetch it, from inside the cluster's network."""
    with pytest.raises(ConfigError, match="disabled"):
        Schema({"$ref": "http://127.0.0.1:1/schema.json"})


def test_a_pattern_that_explodes_is_given_up() -> None:
    """Written by a stranger, or in haste: the call is refused instead of holding the host."""
    schema = Schema({"type": "string", "pattern": "^(a|aa)+(?=b)$"})
    fault = schema.fault("a" * 60)
    assert fault is not None
    assert "backtracking" in fault[1]


def test_a_fault_does_not_repeat_a_whole_value() -> None:
    """It goes into errors, logs and prompts."""
    fault = Schema({"type": "integer"}).fault("x" * 10**6)
    assert fault is not None
    assert len(fault[1]) <= MESSAGE_CHARS
