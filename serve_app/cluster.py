"""A Ray cluster of this machine's own: started, given applications, watched, and ended with every process of it."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import ray
from ray.dashboard.modules.serve.sdk import ServeSubmissionClient

from autoglm.errors import ConfigError, ModelError
from serve_app.environment import try_port

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
STOP_S = 5  # what a process gets to end by itself before it is killed
POLL_S = 0.25
REVIEW_S = 10  # between two looks at the background's policy
FAILED = frozenset({"DEPLOY_FAILED"})
# Ray's processes that no request passes and that start no process which one does, by what their titles or the first
# of their arguments contain (the raylet, which starts replicas, has the dashboard's command among its later ones).
BACKGROUND = (
    "gcs_server",
    "ray/dashboard/",
    "ray-dashboard",
    "ray::DashboardAgent",
    "ray::RuntimeEnvAgent",
    "ray::ServeController",
    "ray::ServeReplica:control:",
    "log_monitor.py",
    "autoscaler/_private/monitor.py",
)


def check_port(host: str, port: int) -> None:
    """Raises ConfigError where somebody listens on the port already."""
    try:
        try_port(host, port)
    except OSError as error:
        raise ConfigError(
            f"port {port} on {host} cannot be used ({error.strerror}). Another server, perhaps a cluster that you "
            f"started before, has it: stop that one, or choose another port (make serve PORT={port + 1}, or "
            f"--port {port + 1})"
        ) from None


@contextmanager
def local_ray() -> Iterator[str]:
    """A new Ray on this machine, never one that already runs; yields the URL of its dashboard."""
    adopt_orphans()
    context = ray.init(
        address="local",
        include_dashboard=True,
        dashboard_host="127.0.0.1",
        log_to_driver=False,
        configure_logging=False,
    )
    try:
        yield f"http://{context.dashboard_url}"
    finally:
        stop()


def adopt_orphans() -> None:
    """Make every process that this one's children leave behind a child of this one, so that it can be ended.

    Linux only; elsewhere Ray's own clean-up is all there is.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stop() -> None:
    """End Ray, then what its processes left behind: HAProxy is nobody's child once its manager is gone."""
    started = psutil.Process().children(recursive=True)
    ray.shutdown()
    for end in (psutil.Process.terminate, psutil.Process.kill):
        left = [process for process in {*started, *psutil.Process().children(recursive=True)} if process.is_running()]
        for process in left:
            try:
                end(process)
            except psutil.NoSuchProcess:
                pass
        psutil.wait_procs(left, timeout=STOP_S)


def let_requests_first() -> None:
    """Give the background the batch policy: its share of the CPU stays, but it preempts nobody when it wakes.

    An engine's threads wait for each other after each operation, so one that is preempted stalls them all. Seen on 2
    cores: 6 to 20 % more tokens a second. Linux only; elsewhere nothing is changed.
    """
    if not hasattr(os, "SCHED_BATCH"):
        return
    for process in psutil.Process().children(recursive=True):
        try:
            title = " ".join(process.cmdline()[:3])
            if any(part in title for part in BACKGROUND):
                for thread in process.threads():
                    os.sched_setscheduler(thread.id, os.SCHED_BATCH, os.sched_param(0))
        except (psutil.NoSuchProcess, ProcessLookupError):
            pass  # it ended in the meantime


def deploy(dashboard: str, config: dict[str, Any]) -> None:
    """Hand Serve the whole desired state, as `serve deploy` does.

    Raises:
        ConfigError: Serve does not take it.
    """
    try:
        ServeSubmissionClient(dashboard).deploy_applications(config)
    except RuntimeError as error:
        raise ConfigError(f"Serve refused the configuration: {error}") from None


def watch(dashboard: str, names: list[str]) -> Iterator[dict[str, str]]:
    """The status of each application, again and again until all run.

    Raises:
        ModelError: an application failed, with the reason that Serve gives.
    """
    client = ServeSubmissionClient(dashboard)
    while True:
        current = client.get_serve_details()["applications"]
        for name, state in current.items():
            if state["status"] in FAILED:
                raise ModelError(f"{name} could not be started: {state['message']}")
        statuses = {name: current.get(name, {}).get("status", "WAITING") for name in names}
        yield statuses
        if set(statuses.values()) == {"RUNNING"}:
            return
        time.sleep(POLL_S)


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM. No Exception, so that nothing on the way takes it for a fault of its own."""


def raise_on_signals() -> None:
    """Turn the first Ctrl-C or SIGTERM into Interrupted; later ones are ignored while everything is ended."""

    def interrupt(signum: int, _frame: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted(signal.Signals(signum).name)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


def serve_until_interrupted() -> None:
    """Let requests first until a signal interrupts: what died, Ray starts again under the usual policy."""
    while True:
        let_requests_first()
        time.sleep(REVIEW_S)
