"""`serve_app up` as a process: what it says when it cannot start, and what it leaves when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from serve_app.environment import free_ports
from tests.e2e.running_cluster import ROOT, Cluster, await_ready

CONTROL = "ray::ServeReplica:control:"
IRIS = "tasks: [{name: iris, task: tabular-classification, data: {train: embedded/iris}}]\n"


def test_taken_port_is_named_with_what_to_do(cluster: Cluster) -> None:
    """A second start on the same port ends at once, names the port and another one, and does the first no harm."""
    port = httpx.URL(cluster.url).port
    command = [sys.executable, "-m", "serve_app", "up", "--port", str(port)]
    second = subprocess.run(command, cwd=ROOT, env=cluster.environment(), capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert f"port {port}" in second.stderr
    assert f"PORT={port + 1}" in second.stderr  # type: ignore[operator]
    assert httpx.get(f"{cluster.url}/ready", trust_env=False).status_code == 200


def test_interrupt_ends_every_process_and_nothing_else(cluster: Cluster, tmp_path: Path) -> None:
    """After Ctrl-C's signal nothing of this cluster runs, and the other cluster on the machine serves on."""
    file, log, [port] = tmp_path / "iris.yaml", tmp_path / "log", free_ports(1)
    file.write_text(IRIS)
    command = [sys.executable, "-m", "serve_app", "up", str(file), "--port", str(port)]
    with log.open("wb") as output:
        environment = os.environ | {"AUTOGLM_HOME": str(tmp_path / "home")}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        await_ready(f"http://127.0.0.1:{port}", process, log)
        assert (tmp_path / "home" / "key").stat().st_mode & 0o777 == 0o600
        started = psutil.Process(process.pid).children(recursive=True)
        assert any("haproxy" in member.name() for member in started)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=90) == 0
    finally:
        process.kill()
    _, alive = psutil.wait_procs(started, timeout=5)
    assert alive == []
    assert httpx.get(f"{cluster.url}/ready", trust_env=False).status_code == 200


def test_nothing_collects_telemetry(cluster: Cluster) -> None:
    """ray.serve.llm's telemetry actor, a process with vLLM in it, is not started."""
    assert cluster.processes("ServeReplica:model-chat")
    assert cluster.processes("TelemetryAgent") == []


def test_the_background_preempts_no_request(cluster: Cluster) -> None:
    """What no request passes runs under the batch policy, also what Ray started again; what one passes does not."""

    def policies(*titles: str) -> list[set[int]]:
        return [{os.sched_getscheduler(process.pid) for process in cluster.processes(title)} for title in titles]

    for control in cluster.processes(CONTROL):
        control.kill()
        control.wait(timeout=10)
    background = ("ray::ServeController", "ray-dashboard", CONTROL)
    end = time.monotonic() + 120
    while policies(*background) != [{os.SCHED_BATCH}] * len(background) or not cluster.is_administrated():
        assert time.monotonic() < end, f"the policies of {background} are {policies(*background)}"
        time.sleep(0.25)
    passed = ("ray::ServeReplica:autoglm:router", "ray::ServeReplica:model-", "VLLM::Worker", "haproxy -db")
    assert policies(*passed) == [{os.SCHED_OTHER}] * len(passed)
