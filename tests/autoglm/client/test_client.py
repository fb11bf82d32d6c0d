"""The calls of the API, by the sync and the async client alike."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from autoglm import errors
from autoglm.contract import AnswerMessage

pytestmark = pytest.mark.usefixtures("clean_environment")

Connect = Callable[..., Any]
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}}]}
PREDICTION = {"task": "t", "model": "m", "version": "v1", "predictions": [{"label": "a", "score": 0.9}]}


class Recorder:
    """A transport's handler that keeps the requests and gives one answer."""

    def __init__(self, body: Any = None, status: int = 200, **headers: str) -> None:
        self.response = {"status_code": status, "headers": {k.replace("_", "-"): v for k, v in headers.items()}}
        self.response["content" if isinstance(body, str | bytes) else "json"] = body
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(**self.response)

    @property
    def sent(self) -> Any:
        return json.loads(self.requests[-1].content)


def test_a_text_is_one_turn_of_the_users_and_the_answer_reads_as_its_text(connect: Connect) -> None:
    """The article's one-liner: a text in, `str()` of the answer out, options sent as given."""
    network = Recorder(ANSWER)
    answer = connect(network).chat("Capital of France?", temperature=0)
    assert str(answer) == "Paris."
    assert network.requests[0].url.path == "/v1/chat/completions"
    assert network.sent == {
        "model": "chat",
        "messages": [{"role": "user", "content": "Capital of France?"}],
        "temperature": 0,
    }


def test_an_answer_can_be_sent_back_as_a_turn(connect: Connect) -> None:
    """A conversation goes on with what the server said, without empty fields that it might refuse."""
    network = Recorder(ANSWER)
    connect(network).chat([{"role": "user", "content": "hi"}, AnswerMessage(content="hello")])
    assert network.sent["messages"] == [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
    ]


def test_fields_of_a_newer_server_are_kept(connect: Connect) -> None:
    """An older client neither refuses nor loses what it does not know."""
    assert connect(Recorder({**ANSWER, "lane": "canary"})).chat("x").lane == "canary"


@pytest.mark.parametrize(
    ("inputs", "sent"),
    [
        ("a film", ["a film"]),
        (["a", "b"], ["a", "b"]),
        (b"\xff\xd8", [base64.b64encode(b"\xff\xd8").decode()]),
        ([b"\xff"], ["/w=="]),
        ([5.1, 3.5, 1, 0.2], [[5.1, 3.5, 1, 0.2]]),
        (np.array([5.5, 3.5]), [[5.5, 3.5]]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ([(np.float32(0.5), None)], [[0.5, None]]),
        ([], []),
    ],
)
def test_inputs_are_sent_in_the_wires_form(connect: Connect, inputs: Any, sent: list[Any]) -> None:
    """Bytes go as base64 and arrays as lists; a list of numbers is one row, an empty list is the server's to refuse."""
    network = Recorder(PREDICTION)
    answer = connect(network).predict("t", inputs)
    assert network.sent == {"task": "t", "inputs": sent}
    assert answer.predictions[0].label == "a"


@pytest.mark.parametrize(
    ("inputs", "param"), [([[1.0], [float("nan")]], "inputs[1][0]"), (["x", object()], "inputs[1]"), ({1}, "inputs[0]")]
)
def test_an_input_without_a_wire_form_is_named_and_not_sent(connect: Connect, inputs: Any, param: str) -> None:
    """JSON has no NaN and no objects: the error is the one of in-process prediction, and names the place."""
    network = Recorder(PREDICTION)
    with pytest.raises(errors.UnprocessableEntityError) as caught:
        connect(network).predict("t", inputs)
    assert caught.value.param == param
    assert param in caught.value.message
    assert network.requests == []


def test_an_option_that_json_cannot_hold_is_an_error_of_the_tree(connect: Connect) -> None:
    """`except AutoGLMError` is enough for a caller, whatever an option was set to."""
    with pytest.raises(errors.UnprocessableEntityError, match="cannot be written as JSON"):
        connect(Recorder(ANSWER)).chat("x", stop={"a", "b"})


def vector(*numbers: float) -> str:
    return base64.b64encode(np.array(numbers, dtype="<f4").tobytes()).decode()


def test_embeddings_come_in_the_order_of_the_texts(connect: Connect) -> None:
    """The wire's base64 is decoded exactly, and its order is the index, not the position."""
    data = [{"index": 1, "embedding": vector(0.1, 0.2)}, {"index": 0, "embedding": vector(1 / 3, -1)}]
    network = Recorder({"data": data, "model": "embed"})
    found = connect(network).embed(["a", "b"])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array([[1 / 3, -1], [0.1, 0.2]], dtype=np.float32))
    assert network.sent == {"model": "embed", "input": ["a", "b"], "encoding_format": "base64"}


def test_decimal_embeddings_are_read_too(connect: Connect) -> None:
    """A server that does not know `encoding_format` answers in numbers."""
    found = connect(Recorder({"data": [{"index": 0, "embedding": [0.5, 1]}], "model": "m"})).embed("a")
    assert found.tolist() == [[0.5, 1.0]]


@pytest.mark.parametrize("data", [[], [{"index": 0, "embedding": "AAA="}], [{"index": 0, "embedding": "no base64"}]])
def test_embeddings_that_cannot_be_read_are_a_connection_error(connect: Connect, data: list[Any]) -> None:
    """No vectors, half a float or garbage never become an array."""
    with pytest.raises(errors.APIConnectionError, match="vectors that cannot be read"):
        connect(Recorder({"data": data, "model": "m"})).embed("a")


def test_health_lies_at_the_root_and_models_under_v1(connect: Connect) -> None:
    """The base URL's `/v1` is the API's, not the server's; a path before it stays."""
    network = Recorder({"status": "ok", "data": [{"id": "chat"}]})
    client = connect(network, base_url="http://gateway/glm/v1/")
    assert client.health().status == "ok"
    assert client.models().data[0].id == "chat"
    assert [request.url.path for request in network.requests] == ["/glm/health", "/glm/v1/models"]


@pytest.mark.parametrize("cls", errors.STATUS_ERRORS, ids=lambda cls: cls.code)
def test_each_documented_error_becomes_its_class(connect: Connect, cls: type[errors.APIStatusError]) -> None:
    """What the server raised is what the caller catches, with all that it carries."""
    body = cls("inputs: got 0; give one", param="inputs", request_id="r-1").body().model_dump()
    with pytest.raises(cls) as caught:
        connect(Recorder(body, cls.status, retry_after="3")).models()
    error = caught.value
    assert type(error) is cls
    assert (error.message, error.param, error.request_id) == ("inputs: got 0; give one", "inputs", "r-1")
    assert error.retry_after == 3.0


def test_an_error_page_of_a_proxy_gives_a_readable_message(connect: Connect) -> None:
    """Between client and server stand others, whose bodies are not ours: cut short, with status and request id."""
    page = "<html>\n" + "bad gateway " * 100
    with pytest.raises(errors.UpstreamError) as caught:
        connect(Recorder(page, 502, x_request_id="r-2")).models()
    assert "got 502 Bad Gateway" in caught.value.message
    assert "<html> bad gateway" in caught.value.message
    assert len(caught.value.message) < 400
    assert caught.value.request_id == "r-2"


@pytest.mark.parametrize("body", ["<html>", '{"status": ["wrong"]}', "", "[]"])
def test_a_success_that_is_no_answer_is_a_connection_error(connect: Connect, body: str) -> None:
    """Another server on the port must not look like a healthy cluster."""
    with pytest.raises(errors.APIConnectionError, match=r"GET .*/health: got 200 with a body that is no Health"):
        connect(Recorder(body)).health()


def test_a_redirect_is_refused(connect: Connect) -> None:
    """The key and the input go to the address that the user gave, nowhere else."""
    network = Recorder("", 307, location="http://elsewhere/v1/models")
    with pytest.raises(errors.APIConnectionError, match="redirect to http://elsewhere"):
        connect(network).models()
    assert len(network.requests) == 1


def test_the_key_is_sent_and_shown_nowhere(connect: Connect, server: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It stands in one header; not in reprs, errors, or the logs of the HTTP library at their loudest."""
    caplog.set_level(logging.DEBUG)
    server.replies["/v1/models"] = lambda request: request.answer({"error": {"message": "no"}}, 401)
    client = connect(api_key="ag-secret", base_url=server.base_url)
    with pytest.raises(errors.AuthenticationError) as caught:
        client.models()
    assert server.requests[0].headers["authorization"] == "Bearer ag-secret"
    assert "ag-secret" not in repr(client) + repr(caught.value) + caplog.text


def test_a_server_that_is_not_there_is_named_with_what_to_do(connect: Connect, server: Any) -> None:
    """The first error that a newcomer meets says how to start a cluster."""
    server.server_close()
    with pytest.raises(errors.APIConnectionError) as caught:
        connect(base_url=server.base_url).models()
    assert f"GET {server.base_url}/models" in caught.value.message
    assert "make serve" in caught.value.message
    assert "python -m serve_app up" in caught.value.message


def test_a_server_that_keeps_silent_is_a_timeout(connect: Connect, server: Any) -> None:
    """The time-out ends the wait, and its message says which setting it was."""
    over = threading.Event()
    server.replies["/health"] = lambda _: over.wait(30)
    with pytest.raises(errors.APITimeoutError, match=r"/health: no answer within the time-out.*`timeout`"):
        connect(base_url=server.base_url, timeout=0.2).health()
    over.set()


def test_a_connection_that_breaks_is_a_connection_error(connect: Connect, server: Any) -> None:
    """A server killed before it answers is told from one that was never there."""
    server.replies["/health"] = lambda request: request.cut()
    with pytest.raises(errors.APIConnectionError, match="the connection broke"):
        connect(base_url=server.base_url).health()
