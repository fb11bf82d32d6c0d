"""Image inputs: base64, bytes, PIL or numpy, made into upright RGB images."""

from __future__ import annotations

import base64
import binascii
import io
import re
from typing import TYPE_CHECKING, Any

from autoglm.errors import BadRequestError, UnprocessableEntityError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 50_000_000
# Formats with decoders that are small and much fuzzed; Pillow's others include ones that start programs (EPS).
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")
_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,", re.ASCII)


def read_image(item: Any, index: int) -> Image:
    """The input as an RGB image.

    Raises BadRequestError for a type that cannot hold an image, UnprocessableEntityError for
    content that is none or has more than `MAX_PIXELS` pixels; the size is checked before decoding.
    """
    from PIL import Image, ImageOps

    param = f"inputs[{index}]"
    image = item if isinstance(item, Image.Image) else _open(item, param)
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(f"{image.width}x{image.height}", param)
    try:
        return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's for data that breaks off or contradicts itself
        raise UnprocessableEntityError(f"{param}: the image cannot be decoded: {error}", param=param) from error


def _open(item: Any, param: str) -> Image:
    import numpy as np

    if isinstance(item, np.ndarray):
        return _from_array(item, param)
    if isinstance(item, str):
        item = _decode(item, param)
    if not isinstance(item, bytes):
        raise BadRequestError(
            f"{param}: got {type(item).__name__}; a base64 string (in-process: bytes, PIL image or array) is expected",
            param=param,
        )
    return _from_bytes(item, param)


def _decode(text: str, param: str) -> bytes:
    prefix = _DATA_URL.match(text)
    try:
        return base64.b64decode("".join(text[prefix.end() if prefix else 0 :].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnprocessableEntityError(f"{param}: the string is not base64 ({error})", param=param) from error


def _from_bytes(data: bytes, param: str) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        kinds = ", ".join(FORMATS)
        raise UnprocessableEntityError(
            f"{param}: got {len(data)} bytes that are no image; {kinds} are read", param=param
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large("a decompression bomb", param) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise UnprocessableEntityError(f"{param}: the image cannot be read: {error}", param=param) from error


def _from_array(array: Any, param: str) -> Image:
    from PIL import Image

    if array.dtype != "uint8" or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise UnprocessableEntityError(
            f"{param}: got an array of {array.dtype} and shape {array.shape}; "
            "uint8 of shape (h, w), (h, w, 3) or (h, w, 4) is expected",
            param=param,
        )
    if 0 in array.shape:
        raise UnprocessableEntityError(f"{param}: got an array of shape {array.shape}, which is empty", param=param)
    return Image.fromarray(array)


def _too_large(size: str, param: str) -> UnprocessableEntityError:
    return UnprocessableEntityError(f"{param}: the image is {size}; the limit is {MAX_PIXELS:,} pixels", param=param)
