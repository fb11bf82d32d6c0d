"""What the embedded tools are called."""

from __future__ import annotations

from typing import Literal

EmbeddedName = Literal[
    "add_to_date",
    "calculate",
    "convert_time",
    "convert_unit",
    "current_time",
    "days_between",
    "query_json",
    "search_documents",
    "share_of",
    "text_statistics",
]
