"""Plans: made by rules, a model or the caller, and validated before anything runs."""

from deployments.planner.planning.config import PlanLimits, PlanningConfig
from deployments.planner.planning.planned import Planned
from deployments.planner.planning.planning import Planning

__all__ = ["PlanLimits", "Planned", "Planning", "PlanningConfig"]
