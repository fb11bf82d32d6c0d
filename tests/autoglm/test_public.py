"""What the package shows of itself."""

from __future__ import annotations

import subprocess
import sys

import autoglm
from autoglm import errors


def test_the_public_names_are_sorted_and_there() -> None:
    """A reader finds a name where the alphabet puts it, and each one is real."""
    assert autoglm.__all__ == sorted(autoglm.__all__)
    assert all(hasattr(autoglm, name) for name in autoglm.__all__)


def test_every_error_can_be_caught_from_the_top() -> None:
    """Nobody needs to know the file of an exception, and the tree in errors.py shows them all."""
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.AutoGLMError)
    }
    assert classes <= set(autoglm.__all__)
    assert all(name in (errors.__doc__ or "") for name in classes)


def test_the_import_needs_no_heavy_package() -> None:
    """A client on a small machine pays neither for the server nor for the models; nor does the command line."""
    heavy = {"PIL", "numpy", "ray", "sklearn", "torch", "transformers", "vllm"}
    code = f"import sys, autoglm, autoglm.cli; print(*{heavy} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("\n", "")
