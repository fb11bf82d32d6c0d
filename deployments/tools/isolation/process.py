"""The process of one isolated call, as the host starts and ends it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from typing import Any, cast

from autoglm.errors import UpstreamError

# The module search path comes with the request: the interpreter starts without environment, site and script folder.
PROGRAM = (
    "import json, sys; request = json.load(sys.stdin); sys.path[:] = request['path']; "
    "from deployments.tools.isolation.worker import main; main(request)"
)
COMMAND = (sys.executable, "-I", "-S", "-c", PROGRAM)
CHUNK_BYTES = 64 * 1024  # what a pipe of Linux holds
FRAME_BYTES = 4096  # of an answer beside the result
END_S = 5.0  # a killed process is gone in ms, unless the kernel waits for a disk


async def answer(request: dict[str, Any], max_bytes: int) -> dict[str, Any]:
    """Start the worker, hand it the request and read its answer; nothing of it is left when this ends, however.

    Raises:
        UpstreamError: it died, or its answer has more than `max_bytes`.
    """
    with tempfile.TemporaryDirectory(prefix="autoglm-tool-", ignore_cleanup_errors=True) as folder:
        worker = await started(folder)
        try:
            text = await exchanged(worker, request, max_bytes + FRAME_BYTES)
        finally:
            await ended(worker)
    if text is None:
        raise UpstreamError(f"the result is larger than max_result_bytes, {max_bytes}")
    if not text:
        raise UpstreamError(f"the tool's process ended without an answer: {cause(worker.returncode)}")
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        raise UpstreamError(f"the tool's process ended within its answer: {cause(worker.returncode)}") from None
    return found


async def started(folder: str) -> asyncio.subprocess.Process:
    """In a session of its own, in an empty folder, with no descriptor of the host's and nothing of its environment."""
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": os.defpath, "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"},
        start_new_session=True,
    )


async def exchanged(worker: asyncio.subprocess.Process, request: dict[str, Any], limit: int) -> bytes | None:
    """All that it says; None where that is more than the limit."""
    stdin, stdout = pipes(worker)
    text = await asyncio.to_thread(json.dumps, {"path": search_path(), **request})
    writing = asyncio.create_task(sent(stdin, text.encode()))
    try:
        said = bytearray()
        while chunk := await stdout.read(CHUNK_BYTES):
            said += chunk
            if len(said) > limit:
                return None
        return bytes(said)
    finally:
        writing.cancel()
        await asyncio.wait([writing])


async def sent(stdin: asyncio.StreamWriter, text: bytes) -> None:
    """Write the request; a worker that has died reads no more, and its end is seen where its answer is awaited."""
    try:
        stdin.write(text)
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()
    except ConnectionError:
        pass


async def ended(worker: asyncio.subprocess.Process) -> None:
    """Kill it with its group, at once: what does not answer has nothing to put in order, and may ignore SIGTERM."""
    try:
        os.killpg(worker.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    stdin, stdout = pipes(worker)
    stdin.close()
    async with asyncio.timeout(END_S):
        await stdout.read()  # what lies in the pipe, so that it is closed
        await worker.wait()


def pipes(worker: asyncio.subprocess.Process) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    """Its standard input and output."""
    return cast(asyncio.StreamWriter, worker.stdin), cast(asyncio.StreamReader, worker.stdout)


def search_path() -> list[str]:
    """The host's own, from the root: the worker starts in another folder."""
    return [os.path.abspath(entry) for entry in sys.path]


def cause(returncode: int | None) -> str:
    """Why a process ended, in words."""
    if returncode == -signal.SIGXCPU:
        return "it used more CPU time than cpu_s"
    if returncode == -signal.SIGKILL:
        return "it was killed, for more CPU time than cpu_s or by a system without memory"
    if returncode is not None and returncode < 0:
        return f"it was killed by {signal.Signals(-returncode).name}"
    return f"its exit status is {returncode}"
