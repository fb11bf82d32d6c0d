"""Which tools a caller may use, with which arguments and how often. What no grant allows is denied."""

from deployments.tools.grants.asking import Asking
from deployments.tools.grants.decision import Decision
from deployments.tools.grants.pattern import check_patterns
from deployments.tools.grants.rates import Rates
from deployments.tools.grants.table import GrantTable

__all__ = ["Asking", "Decision", "GrantTable", "Rates", "check_patterns"]
