"""What rules can ask the embedded tools and tasks for, one file for each matter."""

from deployments.planner.planning.rules.intents.calendar import CALENDAR
from deployments.planner.planning.rules.intents.clock import CLOCK
from deployments.planner.planning.rules.intents.document import DOCUMENTS
from deployments.planner.planning.rules.intents.figure import FIGURES
from deployments.planner.planning.rules.intents.label import LABELS
from deployments.planner.planning.rules.intents.measure import MEASURES
from deployments.planner.planning.rules.intents.writing import WRITING

INTENTS = (*CALENDAR, *CLOCK, *DOCUMENTS, *FIGURES, *LABELS, *MEASURES, *WRITING)

# What these call; the tools are made elsewhere, under these names.
TOOLS = frozenset(
    {
        "add_to_date", "calculate", "convert_time", "convert_unit", "current_time", "days_between", "query_json",
        "search_documents", "share_of", "text_statistics",
    }
)  # fmt: skip

__all__ = ["INTENTS", "TOOLS"]
