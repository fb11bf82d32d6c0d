"""Sequence packing: nothing is padding, and no text sees another."""

from __future__ import annotations

from autoglm.models.packing import packed, packs


def test_packs_hold_the_rows_in_order_up_to_the_limit() -> None:
    """A pack is closed before it exceeds the limit; a row above the limit goes alone."""
    rows = [[1, 2], [3, 4], [5], [6] * 9, [7]]
    assert list(packs(rows, tokens=5)) == [[[1, 2], [3, 4], [5]], [[6] * 9], [[7]]]
    assert list(packs([], tokens=5)) == []


def test_a_row_sees_only_itself() -> None:
    """The mask is open within a row and closed between rows, and positions start again with each."""
    arguments, weights = packed([[11, 12], [13]])
    assert arguments["input_ids"].tolist() == [[11, 12, 13]]
    assert arguments["position_ids"].tolist() == [[0, 1, 0]]
    assert (arguments["attention_mask"][0, 0] == 0).tolist() == [
        [True, True, False],
        [True, True, False],
        [False, False, True],
    ]
    assert weights.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
