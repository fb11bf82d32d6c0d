"""The forms that fields of several contracts share."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

# Who pays, and who logs in: what fits in a URL's path and a Basic header without quoting.
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
# A name for people: any text without control characters.
Label = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]
NotEmpty = Field(min_length=1)
Text = Annotated[str, NotEmpty]  # to be read by a model
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]


def whole(value: Any) -> Any:
    """16 for 16.0, which JSON Schema calls an integer and a strict reader does not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Bounds stand before `Whole`: behind it they would be checked and not be in the schema.
Whole = BeforeValidator(whole)
Integer = Annotated[int, Whole]
Positive = Annotated[int, Field(ge=1), Whole]
Count = Annotated[int, Field(ge=0, le=10**15), Whole]
Alternatives = Annotated[int, Field(ge=0, le=20), Whole]  # tokens told beside the one taken

# What a Serve application and a folder can be called by: `model-NAME-VERSION`, `NAME/VERSION`.
NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
VERSION = r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"
TaskName = Annotated[str, StringConstraints(pattern=NAME)]
VersionName = Annotated[str, StringConstraints(pattern=VERSION)]

YEARS = (1970, 2200)  # outside them a time's zone cannot be changed without overflow


def in_utc(value: datetime) -> datetime:
    """The same moment in UTC."""
    if not YEARS[0] < value.year < YEARS[1]:
        raise ValueError(f"must lie between the years {YEARS[0]} and {YEARS[1]}")
    return value.astimezone(UTC)


def dashed(value: Any) -> Any:
    """A day's text, which must be YYYY-MM-DD: pydantic takes `0` for a count of seconds."""
    if isinstance(value, str) and not DAY.fullmatch(value):
        raise ValueError("must be a day, YYYY-MM-DD")
    return value


YEAR = {"pattern": r"^(197[1-9]|19[89][0-9]|2[01][0-9]{2})-"}  # `in_utc`, for those who read the schema
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Moment = Annotated[AwareDatetime, AfterValidator(in_utc), Field(json_schema_extra=YEAR)]
Day = Annotated[date, BeforeValidator(dashed)]
