"""Images by path and URL: which are read, and which never."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoglm.errors import APIStatusError, BadRequestError, ConfigError, UnprocessableEntityError
from autoglm.models.image import read_image
from autoglm.tasks.data import ImageInputs, image


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), (255, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def inputs() -> ImageInputs:
    return ImageInputs("image", allow_urls=False)


def answer_png(request: Any) -> None:
    request.send_response(200)
    request.send_header("content-length", str(len(png())))
    request.end_headers()
    request.wfile.write(png())


def test_a_path_is_read_and_what_is_in_memory_stays(inputs: ImageInputs, tmp_path: Path) -> None:
    """Each is one input, and gives an image."""
    (tmp_path / "a.png").write_bytes(png())
    for given in (tmp_path / "a.png", png(), Image.open(io.BytesIO(png())), np.zeros((2, 3, 3), np.uint8)):
        assert inputs.is_single(given)
        assert read_image(inputs.accept(given, 0), 0).size == (3, 2)


def test_a_url_is_fetched_only_where_it_is_allowed(inputs: ImageInputs, server: Any) -> None:
    """Not a byte is asked for otherwise."""
    server.replies["/a.png"] = answer_png
    url = f"http://127.0.0.1:{server.server_port}/a.png"
    with pytest.raises(BadRequestError, match=r"inputs\[2\]: got a URL, .*`allow_urls: true`"):
        inputs.accept(url, 2)
    assert server.requests == []
    assert ImageInputs("image", allow_urls=True).accept(url, 0) == png()


def test_a_redirect_is_not_followed(server: Any) -> None:
    """What was allowed is the address that was named."""

    def redirect(request: Any) -> None:
        request.send_response(302)
        request.send_header("location", "/a.png")
        request.send_header("content-length", "0")
        request.end_headers()

    server.replies |= {"/r.png": redirect, "/a.png": answer_png}
    with pytest.raises(UnprocessableEntityError, match="cannot be fetched: status 302"):
        ImageInputs("image", allow_urls=True).accept(f"http://127.0.0.1:{server.server_port}/r.png", 0)


def test_a_large_file_or_answer_is_cut_off(
    inputs: ImageInputs, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded before the image is looked at."""
    monkeypatch.setattr(image, "MAX_BYTES", 10)
    (tmp_path / "a.png").write_bytes(png())
    with pytest.raises(UnprocessableEntityError, match="more than 10 bytes"):
        inputs.accept(tmp_path / "a.png", 0)
    server.replies["/a.png"] = answer_png
    with pytest.raises(UnprocessableEntityError, match="more than 10 bytes"):
        ImageInputs("image", allow_urls=True).accept(f"http://127.0.0.1:{server.server_port}/a.png", 0)


def test_a_table_names_files_below_its_own_folder(inputs: ImageInputs, tmp_path: Path) -> None:
    """One from elsewhere does not choose which other files are read; base64 is no path."""
    assert inputs.from_row({"image": "x/a.png"}, "t.csv", tmp_path) == tmp_path / "x" / "a.png"
    assert inputs.from_row({"image": "/9gA"}, "t.csv", tmp_path) == "/9gA"
    for outside in ("../a.png", "/etc/a.png", "x/../../a.png"):
        with pytest.raises(ConfigError, match="leads out of"):
            inputs.from_row({"image": outside}, "t.csv", tmp_path)


@pytest.mark.parametrize(
    ("name", "message"), [("absent.png", "absent.png cannot be read: No such file"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_named(inputs: ImageInputs, tmp_path: Path, name: str, message: str) -> None:
    """As an input's fault."""
    with pytest.raises(APIStatusError, match=message) as caught:
        inputs.accept(tmp_path / name, 4)
    assert caught.value.param == "inputs[4]"
