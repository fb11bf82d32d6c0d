"""The admin API: the application under `/admin/v1`."""

from __future__ import annotations

from fastapi.exceptions import RequestValidationError
from starlette.types import ASGIApp

from autoglm import __version__
from cluster.control.applications import States, nothing_deployed
from cluster.control.database import Database
from cluster.control.routers import Sight, no_routers
from cluster.control.routes.admission import Authenticate, Desk, admin_by
from cluster.control.routes.audit import audit_routes
from cluster.control.routes.breakers import breaker_routes
from cluster.control.routes.grants import grant_routes
from cluster.control.routes.keys import key_routes
from cluster.control.routes.quotas import quota_routes
from cluster.control.routes.tasks import task_routes
from cluster.control.routes.tool_calls import tool_call_routes
from cluster.control.routes.tools import tool_routes
from cluster.control.routes.usage import usage_routes
from cluster.control.routes.users import user_routes
from cluster.control.store import Store, default_root
from cluster.control.tool_hosts import Hosts, no_hosts
from deployments.clock import Clock, utc_now
from serve_app.http.errors import ERROR_HANDLERS
from serve_app.http.middleware import RequestId
from serve_app.http.query import on_wrong_query
from serve_app.http.schema import DescribedAPI, errors

PREFIX = "/admin/v1"
ADMITTED = errors(400, 401, 403, 429, 503)  # any path may answer so
PARTS = (  # that need nothing but the desk
    *(key_routes, user_routes, quota_routes, usage_routes, audit_routes),
    *(grant_routes, tool_call_routes),
)


def build_admin(
    database: Database,
    authenticate: Authenticate,
    *,
    clock: Clock = utc_now,
    store: Store | None = None,
    states: States = nothing_deployed,
    sight: Sight = no_routers,
    hosts: Hosts = no_hosts,
    proxies: int = 0,
) -> ASGIApp:
    """The application over one migrated database.

    `authenticate` is a FastAPI dependency: the request's Principal, or an AuthenticationError. Every path needs the
    scope `admin`, and every change is in the audit. `store` has the files of registered tasks, by default in the home
    folder, `states` tells how their applications fare, `sight` the routers' breakers, and `hosts` how registered tools
    fare. `proxies` of our own stand in front.
    """
    app = DescribedAPI(
        title="Open-AutoGLM control plane",
        version=__version__,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # the page loads scripts from elsewhere
        redoc_url=None,
        exception_handlers=ERROR_HANDLERS | {RequestValidationError: on_wrong_query},
        redirect_slashes=False,
    )
    desk = Desk(database, clock, admin_by(authenticate, proxies))
    parts = [routes(desk) for routes in PARTS]
    tasks = task_routes(desk, store or Store(default_root()), states)
    for routes in (*parts, tasks, breaker_routes(desk, sight), tool_routes(desk, hosts)):
        app.include_router(routes, prefix=PREFIX, responses=ADMITTED)
    return RequestId(app)
