"""What the cluster's own Serve applications and deployments are called."""

from __future__ import annotations

ROUTER, ROUTER_APP = "router", "autoglm"
CONTROL_APP = "control"
PLANNER_APP = "planner"
TOOLS_APP = "tools"
TOOLS = "tools"  # the deployment of every tool host, whatever its application is called


def tool_app(name: str) -> str:
    """The Serve application of a tool's entry that has its own."""
    return f"tool-{name}"
