"""What tokens cost."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Rate = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=9, allow_inf_nan=False)]


class Price(BaseModel):
    """In the currency, for a million tokens; decimal, as a float's 0.07 is a little more than that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Rate = Decimal(0)
    completion: Rate = Decimal(0)

    def cost_micros(self, prompt_tokens: int, completion_tokens: int = 0) -> int:
        """Millionths of the currency, rounded up: so many for a token is what a million of them cost."""
        exact = prompt_tokens * self.prompt + completion_tokens * self.completion
        return int(exact.to_integral_value(ROUND_CEILING))
