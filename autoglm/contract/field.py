"""The forms that fields of several contracts share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

# Who pays, and who logs in: what fits in a URL's path and a Basic header without quoting.
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
# A name for people: any text without control characters.
Label = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
Count = Annotated[int, Field(ge=0, le=10**15)]

YEARS = (1970, 2200)  # outside them a time's zone cannot be changed without overflow


def in_utc(value: datetime) -> datetime:
    """The same moment in UTC."""
    if not YEARS[0] < value.year < YEARS[1]:
        raise ValueError(f"must lie between the years {YEARS[0]} and {YEARS[1]}")
    return value.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
