"""The page on the data plane: its file is one that the cluster takes, and its figures are the defaults."""

from __future__ import annotations

from deployments.router import Limits, TargetPolicy
from serve_app.config import parse
from serve_app.http import call
from tests.snippets import ROOT, snippets

PAGE = "docs/resilience.md"


def test_the_file_is_one_that_a_cluster_takes() -> None:
    """As it is printed, with a fallback of each kind."""
    [file] = snippets(PAGE, "yaml")
    chat = parse(file.text, PAGE).models[0]
    assert len(chat.fallbacks) == 3
    assert chat.balancing.policy == "prefix_affinity"


def test_the_figures_that_are_called_defaults_are_so() -> None:
    """A reader sizes by them."""
    policy = TargetPolicy()
    assert (policy.retries.max_attempts, policy.retries.ratio) == (3, 0.2)
    assert (policy.breaker.failure_rate, policy.breaker.minimum_calls, policy.breaker.open_s) == (0.5, 5, 1)
    assert (policy.shedding.max_waiting, policy.shedding.max_wait_s, policy.shedding.batch_share) == (4096, 30, 0.5)
    assert (policy.balancing.ejection.consecutive_failures, policy.balancing.probe.fall) == (5, 2)
    assert (policy.balancing.slow_start_s, policy.balancing.probe.interval_s) == (10, 1)
    assert Limits().request_timeout_s == 600


def test_every_header_is_on_the_page() -> None:
    """What the surface reads, a caller can know of."""
    page = (ROOT / PAGE).read_text()
    for header in (call.TIMEOUT, call.PRIORITY, call.STRICT, call.SESSION, "cache-control"):
        assert f"`{header}`" in page
