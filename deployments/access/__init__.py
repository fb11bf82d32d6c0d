"""Who may do what, as a router replica knows it: no database, no network, one immutable snapshot."""

from deployments.access.principal import Principal
from deployments.access.snapshot import KeyView, Snapshot, UserView

__all__ = ["KeyView", "Principal", "Snapshot", "UserView"]
