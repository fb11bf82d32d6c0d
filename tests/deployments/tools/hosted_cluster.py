"""A small real cluster, run as a process of its own: one tool host, called by handle and told other entries.

Prints as JSON what the calls saw. The environment is production's, which must be set before Ray is imported.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from autoglm.errors import APIStatusError
from serve_app import environment

MODULE = "tests.deployments.tools.hosted_tools"


def build(args: dict[str, Any]) -> Any:
    """The application: a tool host as it is in production."""
    from ray import serve

    from deployments.tools.deployment import ToolHost

    return serve.deployment(ToolHost, name="tools", ray_actor_options={"num_cpus": 0}, max_ongoing_requests=100).bind()


def config(*entries: dict[str, Any]) -> dict[str, Any]:
    """A Serve config whose only application hosts these."""
    return {
        "applications": [
            {
                "name": "tools",
                "route_prefix": None,
                "import_path": "tests.deployments.tools.hosted_cluster:build",
                "args": {},
                "deployments": [{"name": "tools", "user_config": {"declared_tools": list(entries)}}],
            }
        ]
    }


FIRST = (
    {"name": "calculate", "embedded": "calculate"},
    {"name": "process", "python": f"{MODULE}:process", "isolated": True},
    {"name": "host", "python": f"{MODULE}:process"},
    {"name": "wait", "python": f"{MODULE}:wait"},
)


async def observed(deploy: Any, folder: Path) -> dict[str, Any]:
    """What the calls saw."""
    from ray import serve

    handle = serve.get_deployment_handle("tools", "tools")
    first = await listed(handle, 0, {"calculate", "process", "host", "wait"})
    host = await call(handle, "host", {})
    seen = {
        "value": await call(handle, "calculate", {"expression": "17 * 23"}),
        "isolated": await call(handle, "process", {}) != host,
        "refused": await refused(handle, "calculate", {"expression": 1}),
        "unknown": await refused(handle, "nothing", {}),
        "cancelled": await cancelled(handle, folder / "state"),
    }
    polling = asyncio.create_task(listed(handle, first, {"calculate", "host"}))
    await asyncio.to_thread(deploy, config(FIRST[0], FIRST[2]))
    return {**seen, "told_of_change": await polling != first, "same_process": await call(handle, "host", {}) == host}


async def listed(handle: Any, known: int, names: set[str]) -> int:
    """The version of the listing that has these tools."""
    async with asyncio.timeout(60):
        while True:
            listing = await handle.listing.remote(known, 10)
            known = listing["version"]
            if {card["name"] for card in listing["tools"]} == names:
                return known


async def call(handle: Any, tool: str, arguments: dict[str, Any]) -> Any:
    """One call, of a key of its own."""
    return await handle.call.remote(tool, arguments, f"{tool}-{id(arguments)}", 60)


async def refused(handle: Any, tool: str, arguments: dict[str, Any]) -> list[str | None]:
    """The error's code and field, as they arrive."""
    try:
        await call(handle, tool, arguments)
    except APIStatusError as error:
        return [error.code, error.param]
    return []


async def cancelled(handle: Any, file: Path) -> str:
    """What a tool wrote that was cancelled while it waited."""
    response = handle.call.remote("wait", {"file": str(file)}, "cancelled", 60)
    waiting = asyncio.ensure_future(awaited(response))
    await written(file, "waiting")
    response.cancel()
    await asyncio.wait([waiting])
    await written(file, "cancelled")
    return await asyncio.to_thread(file.read_text)


async def awaited(response: Any) -> Any:
    """A handle's response as a coroutine."""
    return await response


async def written(file: Path, text: str) -> None:
    """Until the tool, in another process, has written it."""
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(says, file, text):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.05)


def says(file: Path, text: str) -> bool:
    """Whether a file is there and holds this."""
    return file.exists() and file.read_text() == text


def main() -> None:
    """Start, watch, end."""
    with tempfile.TemporaryDirectory() as folder:
        environment.prepare(Path(folder))
        from serve_app import cluster

        with cluster.local_ray() as dashboard:

            def deploy(wanted: dict[str, Any]) -> None:
                cluster.deploy(dashboard, wanted)
                for _ in cluster.watch(dashboard, ["tools"]):
                    pass

            deploy(config(*FIRST))
            print(json.dumps(asyncio.run(observed(deploy, Path(folder)))))


if __name__ == "__main__":
    main()
