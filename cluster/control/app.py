"""The builder of the control plane's application; `serve_app.app.render` names it for Serve."""

from __future__ import annotations

from typing import Any

from ray import serve
from ray.serve import Application

from cluster.control.deployment import Control

CPUS = 0.1
CALLS = 256


def build_control(args: dict[str, Any]) -> Application:
    """One replica: its loop and its database have one writer. It is small; requests to models never pass it."""
    return serve.deployment(
        serve.ingress()(Control),
        name="control",
        ray_actor_options={"num_cpus": CPUS},
        num_replicas=1,
        max_ongoing_requests=CALLS,
        health_check_period_s=2,
        health_check_timeout_s=10,
    ).bind(args["access"], int(args["trusted_proxies"]))
