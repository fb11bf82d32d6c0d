"""The router's gRPC surface: `grpc.health.v1`."""

from serve_app.grpc.frontend import balance_with
from serve_app.grpc.health import SERVICER, HealthServicer

__all__ = ["SERVICER", "HealthServicer", "balance_with"]
