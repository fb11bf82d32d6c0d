"""The way of a health client that knows nothing of Serve to the router.

With HAProxy, Serve sends a gRPC call to the application that the call's metadata names. Where several applications
have routes it sends one without metadata nowhere (NOT_FOUND), and no standard health client sends any. So HAProxy gets
one frontend more, behind which is the router alone. Serve has no setting for it; but the balance line, which has one,
is the last of its section, and what follows it begins another.
"""

from __future__ import annotations

BACKEND = "grpc-autoglm"  # Serve's name for the gRPC replicas of the application `autoglm`


def balance_with(balance: str, host: str, port: int) -> str:
    """The value of RAY_SERVE_HAPROXY_BALANCE_ALGORITHM that adds the frontend at `host` and `port`.

    The backend is looked up by each call (a constant as a log-format), since HAProxy starts before the router, and a
    frontend that names one that is not there keeps it from starting.
    """
    return f"""{balance}
frontend grpc_health
    mode http
    bind {host}:{port} proto h2
    use_backend %[str({BACKEND})]"""
