"""Tools of real MCP servers, over standard streams and over HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from mcp_types import Tool
from pydantic import ValidationError

from autoglm.errors import ConfigError, DeadlineExceededError, UnavailableError, UpstreamError
from deployments.tools.secrets import SecretReference, Secrets
from deployments.tools.sources.mcp import McpSource
from deployments.tools.sources.mcp.card import cards
from deployments.tools.sources.mcp.source import LONGEST_PAUSE_S, backoff_s
from deployments.tools.sources.mcp_config import McpConfig
from tests.deployments.tools.loopback import served
from tests.deployments.tools.scripted_source import ANY
from tests.deployments.tools.sources.mcp_server import application

HERE = Path(__file__).parent
COMMAND = (sys.executable, str(HERE / "mcp_server.py"))
LOOPBACK = (ip_network("127.0.0.0/8"),)


class Listings:
    """Hears of changes, and lets a test wait for a listing."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def __call__(self) -> None:
        self._changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds, looking again at each change."""
        async with asyncio.timeout(30):
            while not holds():
                await self._changed.wait()
                self._changed.clear()


@asynccontextmanager
async def opened(config: McpConfig, **given: Any) -> AsyncIterator[tuple[McpSource, Listings]]:
    """A source, opened; a lost session is begun again at once."""
    source, listings = McpSource("files", config, pause_s=lambda _: 0.0, **given), Listings()
    await source.open(listings)
    try:
        yield source, listings
    finally:
        await source.close()


def names(source: McpSource) -> set[str]:
    """The tools as they are listed now."""
    return {card.name for card in source.tools()}


async def call(source: McpSource, tool: str, timeout_s: float = 30, **arguments: Any) -> Any:
    """One call of the source's own tool."""
    return await source.call(f"files.{tool}", arguments, key="key-1", timeout_s=timeout_s)


async def written(path: Path, *, after: str = "") -> str:
    """What another process writes into a file, once it is something else."""
    async with asyncio.timeout(30):
        while (text := content(path)) in ("", after):  # noqa: ASYNC110  another process wakes no event of this one
            await asyncio.sleep(0.01)
    return text


def content(path: Path) -> str:
    """What is in a file; nothing where it is not there yet."""
    return path.read_text() if path.exists() else ""


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@asynccontextmanager
async def either(kind: str) -> AsyncIterator[McpConfig]:
    """A server of the kind, and its config."""
    if kind == "stdio":
        yield McpConfig(command=COMMAND)
    else:
        async with served(application()) as port:
            yield McpConfig(url=f"http://127.0.0.1:{port}/mcp", allow_http=True, allow_networks=LOOPBACK)


@pytest.mark.parametrize("kind", ["stdio", "http"])
async def test_a_servers_tools_are_listed_called_and_listed_anew_when_they_change(kind: str) -> None:
    """Under the source's name, with the server's schemas, results and errors, and the key of each call."""
    async with either(kind) as config, opened(config) as (source, listings):
        cards = {card.name: card for card in source.tools()}
        assert cards["files.add"].idempotent
        assert not cards["files.say"].idempotent
        assert set(cards["files.add"].parameters["properties"]) == {"a", "b"}
        assert cards["files.add"].source == "files"
        assert await call(source, "add", a=2, b=3) == {"result": 5}
        assert await call(source, "say", text="hello") == "hello\nand more"
        assert await call(source, "key") == "key-1"
        with pytest.raises(UpstreamError, match="no such file") as caught:
            await call(source, "fail", text="no such file " * 1000)
        assert len(caught.value.message) < 2100
        await call(source, "change")
        await listings.until(lambda: "files.late" in names(source) and "files.say" not in names(source))
        assert await call(source, "late", text="now") == {"result": "late: now"}


@pytest.mark.parametrize("kind", ["stdio", "http"])
async def test_a_call_that_is_given_up_is_stopped_at_the_server(kind: str, tmp_path: Path) -> None:
    """Whether its caller goes or its time passes; the session goes on."""
    async with either(kind) as config, opened(config) as (source, _):
        waiting = asyncio.create_task(call(source, "hang", path=str(tmp_path / "one")))
        pid = await written(tmp_path / "one")
        waiting.cancel()
        assert await written(tmp_path / "one", after=pid) == "cancelled"
        with pytest.raises(DeadlineExceededError):
            await call(source, "hang", timeout_s=0.5, path=str(tmp_path / "two"))
        assert await written(tmp_path / "two", after=pid) == "cancelled"
        assert await call(source, "add", a=1, b=1) == {"result": 2}


async def test_a_server_that_is_killed_fails_its_calls_at_once_and_is_started_again(tmp_path: Path) -> None:
    """What it lists is gone meanwhile."""
    async with opened(McpConfig(command=COMMAND)) as (source, listings):
        waiting = asyncio.create_task(call(source, "hang", path=str(tmp_path / "pid")))
        pid = int(await written(tmp_path / "pid"))
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(UnavailableError, match="went away"):
            await waiting
        await listings.until(lambda: not source.tools())
        assert source.faults() == ("the MCP server files: it ended with -9",)
        with pytest.raises(UnavailableError, match="is away"):
            await call(source, "add", a=1, b=1)
        await listings.until(lambda: bool(source.tools()))
        assert not source.faults()
        assert await call(source, "add", a=1, b=1) == {"result": 2}


async def test_an_http_server_that_goes_fails_its_calls_and_is_found_again(tmp_path: Path) -> None:
    """At the same address, when another is there."""
    app = application()
    async with served(app) as port:
        config = McpConfig(url=f"http://127.0.0.1:{port}/mcp", allow_http=True, allow_networks=LOOPBACK)
        source, listings = McpSource("files", config, pause_s=lambda _: 0.05), Listings()
        await source.open(listings)
        waiting = asyncio.create_task(call(source, "hang", path=str(tmp_path / "pid")))
        await written(tmp_path / "pid")
    try:
        with pytest.raises((UnavailableError, UpstreamError)):
            await waiting
        await listings.until(lambda: not source.tools())
        async with served(application(), port=port):
            await listings.until(lambda: bool(source.tools()))
            assert await call(source, "add", a=1, b=1) == {"result": 2}
    finally:
        await source.close()


async def test_what_a_server_started_ends_with_the_source() -> None:
    """The server, and processes of its own that it left behind."""
    async with opened(McpConfig(command=COMMAND)) as (source, _):
        child = int(await call(source, "child"))
        assert is_alive(child)
    async with asyncio.timeout(10):
        while is_alive(child):  # noqa: ASYNC110  another process wakes no event of this one
            await asyncio.sleep(0.01)


async def test_a_servers_environment_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds what was declared, secrets by reference among it, and nothing of this process's own."""
    monkeypatch.setenv("SOMEBODY_ELSES_TOKEN", "s3cret")
    config = McpConfig(command=COMMAND, env={"MODE": "test", "TOKEN": SecretReference(env="FILES_TOKEN")})
    async with opened(config, secrets=Secrets({"FILES_TOKEN": "t0ken"})) as (source, _):
        environment = await call(source, "environment")
        assert (environment["MODE"], environment["TOKEN"]) == ("test", "t0ken")
        assert "SOMEBODY_ELSES_TOKEN" not in environment
        with pytest.raises(UpstreamError) as caught:
            await call(source, "fail", text="I was given t0ken")
    assert "t0ken" not in caught.value.message
    assert "[secret]" in caught.value.message


@pytest.mark.parametrize("kind", ["stdio", "http"])
async def test_an_answer_that_is_too_large_is_not_taken(kind: str) -> None:
    """Whoever asked hears of it; a stream of lines, which has lost its place, is begun anew."""
    async with either(kind) as config:
        bounded = config.model_copy(update={"max_response_bytes": 100_000})
        async with opened(bounded) as (source, listings):
            with pytest.raises((UpstreamError, UnavailableError)):
                await call(source, "large")
            if kind == "stdio":
                await listings.until(lambda: not source.tools())
            await listings.until(lambda: bool(source.tools()))
            assert await call(source, "add", a=1, b=1) == {"result": 2}


async def test_a_server_of_an_older_protocol_tells_its_changes_too() -> None:
    """On the connection itself; lines that are no messages are passed over."""
    config = McpConfig(command=(sys.executable, str(HERE / "old_mcp_server.py")))
    async with opened(config) as (source, listings):
        assert names(source) == {"files.first"}
        assert await call(source, "first") == "done"
        await listings.until(lambda: names(source) == {"files.first", "files.second"})


def test_a_tool_whose_schema_cannot_be_borne_is_left_out_by_name() -> None:
    """It refers to what would have to be fetched; the others stay."""
    tools = [Tool(name="good", input_schema=ANY), Tool(name="bad", input_schema={"$ref": "https://evil.example/"})]
    found, faults = cards("files", tools, None)
    assert set(found) == {"files.good"}
    assert len(faults) == 1
    assert faults[0].startswith("bad is not offered: its schema refers to")


async def test_only_wanted_tools_are_listed_and_called() -> None:
    """By the server's own names."""
    async with opened(McpConfig(command=COMMAND, tools=("add",))) as (source, _):
        assert names(source) == {"files.add"}
        with pytest.raises(UnavailableError):
            await call(source, "say", text="hello")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("/no/such/program",), "No such file"),
        ((sys.executable, "-c", "import sys; sys.exit('it has no licence')"), "it ended with 1: it has no licence"),
    ],
)
async def test_a_server_that_does_not_start_says_why(command: tuple[str, ...], message: str) -> None:
    """When it is opened; nothing is left running."""
    with pytest.raises(UpstreamError, match=message):
        await McpSource("files", McpConfig(command=command)).open(lambda: None)


async def test_a_secret_that_is_missing_is_said_when_opening() -> None:
    """As what it is, a fault of the declaration."""
    config = McpConfig(command=COMMAND, env={"TOKEN": SecretReference(env="NOT_THERE")})
    with pytest.raises(ConfigError, match="NOT_THERE"):
        await McpSource("files", config, secrets=Secrets({})).open(lambda: None)


async def test_an_http_server_inside_is_not_reached_unless_declared() -> None:
    """The guard stands before MCP as before any other request."""
    async with served(application()) as port:
        config = McpConfig(url=f"http://127.0.0.1:{port}/mcp", allow_http=True)
        with pytest.raises(UpstreamError, match="no public address"):
            await McpSource("files", config).open(lambda: None)


async def test_an_http_server_is_sent_its_credential() -> None:
    """With every request."""
    seen: list[bytes | None] = []
    app = application()

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append(dict(scope["headers"]).get(b"authorization"))
        await app(scope, receive, send)

    async with served(watched) as port:
        url = f"http://127.0.0.1:{port}/mcp"
        config = McpConfig(url=url, allow_http=True, allow_networks=LOOPBACK, bearer=SecretReference(env="FILES_TOKEN"))
        async with opened(config, secrets=Secrets({"FILES_TOKEN": "t0ken"})) as (source, _):
            await call(source, "add", a=1, b=1)
    assert set(seen) == {b"Bearer t0ken"}


def test_the_pause_before_a_new_session_doubles_and_is_bounded() -> None:
    """Each failure in a row makes it longer."""
    assert [backoff_s(failures) for failures in (1, 2, 3)] == [1.0, 2.0, 4.0]
    assert backoff_s(10_000) == LONGEST_PAUSE_S


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"command": ["x"], "url": "https://files.example/mcp"},
        {"command": ["x"], "bearer": {"env": "TOKEN"}},
        {"url": "https://files.example/mcp", "env": {"A": "b"}},
        {"url": "http://files.example/mcp"},
        {"url": "https://someone:s3cret@files.example/mcp"},
        {"url": "https://2130706433/mcp"},
        {"url": "https://files.example/mcp", "headers": {"x-key": "s3cret"}},
        {"command": ["x"], "env": {"API_KEY": "s3cret"}},
    ],
)
def test_a_config_that_cannot_be_meant_is_refused(given: dict[str, Any]) -> None:
    """And the error shows no secret that stands in it."""
    with pytest.raises(ValidationError) as caught:
        McpConfig.model_validate(given)
    assert "s3cret" not in str(caught.value)
