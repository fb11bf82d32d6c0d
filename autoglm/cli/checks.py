"""What `autoglm doctor` looks at. Each check is a function of what was found, so that a test can say what that is."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autoglm.compatibility import CPU_DISTRIBUTION, CUDA_ONLY, Component
from autoglm.errors import APIConnectionError, AutoGLMError

Status = Literal["ok", "warn", "fail"]

MEMORY_WANTED_GIB = 6.0  # the embedded default, with all its models started, on the CPU
HTTP_PORT = 8000
DASHBOARD_PORT = 8265


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, and what to do about it unless all is well."""

    name: str
    status: Status
    found: str
    advice: str = ""


def check_version(component: Component, installed: str | None) -> Check:
    """A component of the compatibility table. The client alone needs none but Python, so absence is no failure."""
    oldest, newest = component.bounds
    wanted = oldest if oldest == newest else f"{oldest} to {newest}"
    if installed is None:
        return Check(
            component.name, "warn", "not installed", f"to run a cluster here, `make serve` installs version {wanted}"
        )
    if not component.accepts(installed):
        return Check(component.name, "fail", installed, f"version {wanted} is supported; see requirements/")
    return Check(component.name, "ok", installed)


def check_cuda_only(installed: Callable[[str], str | None]) -> Check:
    """That no CUDA-only package lies beside the CPU build of vLLM."""
    strays = [name for name in CUDA_ONLY if installed(name)] if installed(CPU_DISTRIBUTION) else []
    if strays:
        advice = f"they break transformers beside a CPU torch: pip uninstall {' '.join(strays)}"
        return Check("CUDA-only packages", "fail", ", ".join(strays), advice)
    return Check("CUDA-only packages", "ok", "none in the way")


def check_memory(available_gib: float | None) -> Check:
    """Enough memory to start the embedded default."""
    if available_gib is None:
        return Check("Memory", "warn", "unknown", f"the embedded default wants {MEMORY_WANTED_GIB:g} GiB")
    found = f"{available_gib:.1f} GiB available"
    if available_gib < MEMORY_WANTED_GIB:
        advice = f"another cluster of the embedded default wants {MEMORY_WANTED_GIB:g} GiB: close other programs"
        return Check("Memory", "warn", found, advice)
    return Check("Memory", "ok", found)


def check_http_port(*, taken: bool, cluster: bool) -> Check:
    """That a cluster can listen, or does."""
    name = f"Port {HTTP_PORT}"
    if taken and not cluster:
        advice = (
            f"it does not answer as a cluster: stop it, or start on another port, `make serve PORT={HTTP_PORT + 1}`"
        )
        return Check(name, "fail", "held by another program", advice)
    return Check(name, "ok", "held by a cluster" if taken else "free")


def check_dashboard_port(*, taken: bool, cluster: bool) -> Check:
    """That Ray's dashboard can listen, or does."""
    name = f"Port {DASHBOARD_PORT}"
    if taken and not cluster:
        return Check(name, "warn", "held", "Ray's dashboard wants it: `ray stop` ends a Ray that was left behind")
    return Check(name, "ok", "held by a cluster's dashboard" if taken else "free")


def check_key(path: Path) -> Check:
    """That the local key exists and only its owner reads it."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return Check("Key", "warn", f"{path} does not exist", "the first start of a cluster makes it")
    except OSError as error:
        return Check("Key", "fail", f"{path}: {error.strerror}", "make it readable by you alone")
    if mode != 0o600:
        return Check("Key", "fail", f"{path} has mode {mode:o}", f"chmod 600 {path}")
    return Check("Key", "ok", f"{path}, mode 600")


def check_server(base_url: str, count_models: Callable[[], int], *, named: bool) -> Check:
    """That the server answers and takes the key; one that nobody `named` may well not be started yet."""
    try:
        count = count_models()
    except APIConnectionError as error:
        return Check("Server", "fail" if named else "warn", f"{base_url} does not answer", error.message)
    except AutoGLMError as error:  # refused, or a key or address that cannot be used
        return Check("Server", "fail", f"{base_url} cannot be used", error.message)
    return Check("Server", "ok", f"{base_url} serves {count} models and tasks")


def available_memory_gib(meminfo: Path = Path("/proc/meminfo")) -> float | None:
    """What new programs could take: Linux's own estimate, elsewhere the free pages; None where neither is told."""
    try:
        told = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo.read_text(), re.MULTILINE)
    except OSError:
        told = None
    return int(told[1]) / 2**20 if told else _free_pages_gib()


def _free_pages_gib() -> float | None:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (OSError, ValueError):
        return None
