"""An older client and a newer server, and the other way round."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from autoglm.contract import ChatCompletion, ChatRequest, Health, ModelList, Prediction, PredictResponse

LEAST = {
    ChatCompletion: {"choices": [{"message": {}}]},
    Health: {"status": "ok"},
    ModelList: {},
    Prediction: {"label": "a", "score": 0.5},
    PredictResponse: {"task": "t", "model": "m", "version": "v1", "predictions": [{"label": "a", "score": 0.5}]},
}


@pytest.mark.parametrize("model", LEAST, ids=lambda model: model.__name__)
def test_what_a_server_need_not_send_has_a_default(model: type[ChatCompletion]) -> None:
    """An older server knows fewer fields."""
    assert model.model_validate(LEAST[model]).model_dump()


@pytest.mark.parametrize("model", LEAST, ids=lambda model: model.__name__)
def test_fields_of_a_newer_server_are_kept(model: type[ChatCompletion]) -> None:
    """Read as attributes, and written out again."""
    found = model.model_validate({**LEAST[model], "invented_later": {"deep": [1]}})
    assert found.invented_later == {"deep": [1]}  # type: ignore[attr-defined]
    assert found.model_dump()["invented_later"] == {"deep": [1]}


def test_a_request_with_an_unknown_field_is_refused() -> None:
    """What a caller sends is checked, since a misspelt option would be ignored in silence."""
    with pytest.raises(ValidationError, match="temprature"):
        ChatRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": "x"}], "temprature": 1})
