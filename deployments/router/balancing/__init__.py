"""Which replica of a target an attempt goes to.

`handle` and `serve_router` put it into Serve; the rest knows nothing of Ray.
"""

from deployments.router.balancing.attempt import Attempt
from deployments.router.balancing.config import BalancingConfig
from deployments.router.balancing.handle import balanced_handle
from deployments.router.balancing.pool import Pool, ReplicaStatus

__all__ = ["Attempt", "BalancingConfig", "Pool", "ReplicaStatus", "balanced_handle"]
