"""Load shedding: how many requests a target is given at once, who waits for the next place, and who is refused."""

from deployments.router.shedding.config import LoadSheddingConfig
from deployments.router.shedding.gate import Gate, Slot
from deployments.router.shedding.limit import AdaptiveLimit
from deployments.router.shedding.priority import Priority
from deployments.router.shedding.status import GateStatus, PriorityStatus

__all__ = ["AdaptiveLimit", "Gate", "GateStatus", "LoadSheddingConfig", "Priority", "PriorityStatus", "Slot"]
