"""Inputs: what is refused, and that the message names the place."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoglm.errors import APIStatusError, BadRequestError, UnprocessableEntityError
from autoglm.models.image import read_image
from autoglm.models.row import check_row
from autoglm.models.text import check_text


def png(width: int = 3, height: int = 2, color: Any = (255, 0, 0), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height), color).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        (7, BadRequestError, "got int"),
        (None, BadRequestError, "got NoneType"),
        (" \n", UnprocessableEntityError, "empty text"),
        ("x" * 100_001, UnprocessableEntityError, "100,001 characters; the limit is 100,000"),
        ("\ud800", UnprocessableEntityError, "surrogate"),
    ],
)
def test_a_bad_text_is_refused(item: Any, error: type[APIStatusError], message: str) -> None:
    """The error says which input, what it was and what would do."""
    with pytest.raises(error, match=message) as caught:
        check_text(item, 3)
    assert caught.value.param == "inputs[3]"


@pytest.mark.parametrize(
    "bad", [float("nan"), float("inf"), 1e39, 10**400, None, "1", True, [1.0]], ids=lambda bad: f"{bad!r:.8}"
)
def test_a_bad_cell_is_named(bad: Any) -> None:
    """Anything but a finite number is refused by row and column."""
    with pytest.raises(UnprocessableEntityError, match="finite number") as caught:
        check_row([1, bad], 2, width=2)
    assert caught.value.param == "inputs[2][1]"


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [("1,2", BadRequestError, "got str"), ([1.0], UnprocessableEntityError, "got 1 values; 2 numbers")],
)
def test_a_bad_row_is_refused(item: Any, error: type[APIStatusError], message: str) -> None:
    """A row of another shape is refused as a whole."""
    with pytest.raises(error, match=message):
        check_row(item, 0, width=2)


def test_every_form_of_an_image_is_read_alike() -> None:
    """Base64, data URL, bytes, PIL image and array of the same picture give the same RGB pixels."""
    data = png()
    text = base64.b64encode(data).decode()
    image = Image.open(io.BytesIO(data))
    for item in (text, f"data:image/png;base64,{text}", data, image, np.asarray(image)):
        read = read_image(item, 0)
        assert (read.mode, read.size, read.getpixel((0, 0))) == ("RGB", (3, 2), (255, 0, 0))


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        (3, BadRequestError, "got int"),
        ("not base64!", UnprocessableEntityError, "not base64"),
        (base64.b64encode(b"hello").decode(), UnprocessableEntityError, "no image"),
        (png(64, 64)[:60], UnprocessableEntityError, "cannot be"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", UnprocessableEntityError, "no image"),
        (png(10_000, 5_001, 0, "1"), UnprocessableEntityError, "10000x5001; the limit is 50,000,000 pixels"),
        (png(20_000, 20_000, 0, "1"), UnprocessableEntityError, "the limit is 50,000,000 pixels"),
        (np.zeros((2, 2)), UnprocessableEntityError, "float64"),
        (np.zeros((0, 2), np.uint8), UnprocessableEntityError, "empty"),
    ],
    ids=["type", "base64", "text", "truncated", "eps", "50-megapixels", "bomb", "floats", "no-pixels"],
)
def test_a_bad_image_is_refused(item: Any, error: type[APIStatusError], message: str) -> None:
    """What is no image, or a bomb, is refused before it is decoded."""
    with pytest.raises(error, match=message) as caught:
        read_image(item, 1)
    assert caught.value.param == "inputs[1]"
