"""A Serve handle whose replicas are chosen by our policies.

Serve would take the request router from the deployment's `request_router_config`, but refuses one there for the first
deployment of an application in HAProxy mode, which a model's only deployment is, though no HTTP reaches it; and a
change there restarts the replicas. So each handle gets its own here: the policy is the router's configuration alone.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ray.serve._private.default_impl import create_router
from ray.serve.handle import DeploymentHandle

from deployments.router.balancing.config import BalancingConfig
from deployments.router.balancing.serve_router import SERVE_ROUTERS


def balanced_handle(deployment: str, app: str, config: BalancingConfig) -> Any:
    """A handle of `deployment` in the application `app`; all that `options` makes of it share its state.

    Call it on the event loop that will call the handle: the choice is made on that loop.
    """
    handle: Any = DeploymentHandle(deployment, app, _create_router=partial(create_balanced_router, config=config))
    handle._init(_run_router_in_separate_loop=False)
    return handle


def create_balanced_router(handle_id: str, deployment_id: Any, handle_options: Any, *, config: BalancingConfig) -> Any:
    """Serve's router of a handle, with the request router made before the deployment's own configuration names one."""
    router = create_router(handle_id, deployment_id, handle_options, request_router_class=SERVE_ROUTERS[config.policy])
    asyncio_router = router._asyncio_router
    asyncio_router._request_router_kwargs = {"config": config}
    if asyncio_router.request_router is None:  # the property makes it
        raise RuntimeError(f"Serve made no request router for {deployment_id}; is this a version other than 2.60?")
    return router
