"""Who may do what, as a router replica knows it: no database, one immutable snapshot, and an issuer's public keys."""

from deployments.access.authenticator import Authenticator
from deployments.access.config import AccessConfig
from deployments.access.jwt import JwtConfig
from deployments.access.principal import Principal
from deployments.access.snapshot import KeyView, Snapshot, UserView

__all__ = ["AccessConfig", "Authenticator", "JwtConfig", "KeyView", "Principal", "Snapshot", "UserView"]
