"""Python functions in processes of their own: what they do to themselves is contained and told."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from autoglm.errors import (
    APIStatusError,
    ConfigError,
    DeadlineExceededError,
    UnprocessableEntityError,
    UpstreamError,
)
from deployments.tools.isolation.config import IsolationConfig
from deployments.tools.sources.isolated import IsolatedSource

MODULE = "tests.deployments.tools.sources.sample_tools"
LIMITS = IsolationConfig(cpu_s=5, memory_mb=512, file_mb=1)

ROOT = Path(__file__).parents[4]
HOST = """
import asyncio
from deployments.tools.isolation.config import IsolationConfig
from deployments.tools.sources.isolated import IsolatedSource

async def main():
    source = IsolatedSource("t", "tests.deployments.tools.sources.sample_tools:sleeps", IsolationConfig(), 1000)
    await source.open(lambda: None)
    await source.call("t", {{"name": "{file}"}}, key="k", timeout_s=100)

asyncio.run(main())
"""

pytestmark = pytest.mark.timeout(240)  # each call imports the package anew, on a busy machine in some seconds


async def opened(target: str = MODULE) -> IsolatedSource:
    source = IsolatedSource("t", target, LIMITS, 10_000)
    await source.open(lambda: None)
    return source


async def call(
    source: IsolatedSource, tool: str, arguments: dict[str, Any] | None = None, timeout_s: float = 60
) -> Any:
    return await source.call(tool, arguments or {}, key="k", timeout_s=timeout_s)


def children() -> set[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return {child for child in found if child.status() != psutil.STATUS_ZOMBIE}


@pytest.fixture
def others() -> set[psutil.Process]:
    """The processes of other tests' servers."""
    return children()


async def test_a_tool_is_described_and_called_without_being_imported_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the host's process, with types, key and refusals."""
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    source = await opened()
    assert {"t.day_after", "t.asynchronous"} <= {card.name for card in source.tools()}
    assert await call(source, "t.day_after", {"day": "2024-02-28"}) == {"day": "2024-02-29", "key": "k"}
    assert await call(source, "t.asynchronous") == 1
    with pytest.raises(UnprocessableEntityError) as refused:
        await call(source, "t.refuses")
    assert refused.value.param == "this"
    assert MODULE not in sys.modules


@pytest.mark.parametrize(
    ("tool", "error", "told"),
    [
        ("forks", UpstreamError, "PermissionError"),
        ("starts_a_program", UpstreamError, "PermissionError"),
        ("signals_its_host", UpstreamError, "PermissionError"),
        ("spins_and_ignores_sigxcpu", UpstreamError, "CPU time"),
        ("allocates", UpstreamError, "MemoryError"),
        ("writes", UpstreamError, "File too large"),
        ("answers_too_much", UpstreamError, "larger than max_result_bytes"),
        ("dies", UpstreamError, "exit status is 7"),
        ("exits", UpstreamError, "SystemExit"),
    ],
)
async def test_what_a_tool_does_to_itself_is_contained_and_told(
    tool: str, error: type[APIStatusError], told: str, others: set[psutil.Process]
) -> None:
    """And nothing of it is left."""
    with pytest.raises(error, match=told):
        await call(await opened(f"{MODULE}:{tool}"), "t")
    assert children() <= others


async def test_a_tool_that_sleeps_is_killed_at_its_time(tmp_path: Path, others: set[psutil.Process]) -> None:
    """Whatever signals it ignores."""
    file = tmp_path / "pid"
    with pytest.raises(DeadlineExceededError, match="killed"):
        await call(await opened(f"{MODULE}:sleeps_and_ignores_sigterm"), "t", {"name": str(file)})
    assert children() <= others


async def test_a_call_that_is_cancelled_ends_its_process(tmp_path: Path) -> None:
    """At once."""
    file = tmp_path / "pid"
    os.mkfifo(file)
    source = await opened(f"{MODULE}:sleeps_and_ignores_sigterm")
    running = asyncio.create_task(call(source, "t", {"name": str(file)}))
    pid = int(await asyncio.to_thread(file.read_text))
    assert psutil.pid_exists(pid)
    running.cancel()
    await asyncio.wait([running])
    assert not psutil.pid_exists(pid)


async def test_a_tool_sees_nothing_of_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable, no open file, an empty folder that is gone afterwards; what it prints spoils no answer."""
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    inherited = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    seen = await call(await opened(f"{MODULE}:prints_and_tells_its_surroundings"), "t")
    os.close(inherited)
    assert seen["environment"].keys() <= {"PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE"}
    assert seen["entries"] == []
    assert not os.access(seen["folder"], os.F_OK)
    assert [name for name in seen["files"] if not name.startswith(("pipe:", "/dev/null"))] == []


async def test_a_thread_that_is_left_behind_holds_nothing_up() -> None:
    """The process ends with its answer."""
    assert await call(await opened(f"{MODULE}:leaves_a_thread"), "t") == 1


async def test_what_cannot_be_loaded_is_told() -> None:
    """As of the declaration, and not of the process."""
    with pytest.raises(ConfigError, match="cannot be imported"):
        await opened("no_such_module_anywhere")


async def test_a_tool_does_not_outlive_its_host(tmp_path: Path) -> None:
    """Also one that is killed, and ends nothing itself."""
    file = tmp_path / "pid"
    os.mkfifo(file)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # the call's folder is left behind by a host that is killed
    program = HOST.format(file=str(file))
    host = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT, env=environment)
    tool = psutil.Process(int(await asyncio.to_thread(file.read_text)))
    host.kill()
    await host.wait()
    await asyncio.to_thread(psutil.wait_procs, [tool], 30)
    assert not tool.is_running() or tool.status() == psutil.STATUS_ZOMBIE
