"""A plan's steps are run, as many beside each other as can be, and the answer is put into words."""

from deployments.planner.execution.assignment import Assignment
from deployments.planner.execution.config import ExecutionConfig
from deployments.planner.execution.execution import Execution
from deployments.planner.execution.seams import Compose, Replan

__all__ = ["Assignment", "Compose", "Execution", "ExecutionConfig", "Replan"]
