"""Results as a notebook shows them."""

from __future__ import annotations

from autoglm.contract import ChatCompletion, Prediction, PredictResponse


def test_predictions_are_a_table_with_everything_escaped() -> None:
    """A label is data, not markup."""
    answer = PredictResponse(
        task="<i>t</i>", model="m", version="v1", predictions=(Prediction(label="<script>", score=0.12344),)
    )
    shown = answer._repr_html_()
    assert "<td>0</td><td>&lt;script&gt;</td><td>0.1234</td>" in shown
    assert "<i>" not in shown
    assert "<script>" not in shown


def test_a_long_table_is_cut_and_counted() -> None:
    """A notebook with a million rows would not open."""
    many = tuple(Prediction(label="a", score=1) for _ in range(250))
    shown = PredictResponse(task="t", model="m", version="v1", predictions=many)._repr_html_()
    assert shown.count("<tr>") == 101
    assert "and 150 more" in shown


def test_a_chat_is_its_text_escaped() -> None:
    """Models write HTML; it is shown, not run."""
    answer = ChatCompletion.model_validate({"model": "<m>", "choices": [{"message": {"content": "a <b>\nc"}}]})
    shown = answer._repr_html_()
    assert "a &lt;b&gt;\nc" in shown
    assert "&lt;m&gt;" in shown
    assert "<b>" not in shown
