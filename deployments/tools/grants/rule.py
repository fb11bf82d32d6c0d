"""A grant as it is decided by."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from autoglm.contract.grant import Grant
from autoglm.errors import UnprocessableEntityError
from deployments.tools.grants.pattern import Patterns, compiled, json_text, unmatched

logger = logging.getLogger("ray.serve")


@dataclass(frozen=True)
class Rule:
    """One grant. Its patterns are made ready when they are first needed: there may be ten thousand of them."""

    grant: Grant

    @cached_property
    def id(self) -> str:
        """Of the grant's content: one that is told again goes on with the rate that it has used."""
        content = json_text(self.grant.model_dump(mode="json"))
        return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()

    @cached_property
    def patterns(self) -> Patterns | None:
        """By the argument's name; None where one cannot be read, and then it allows nothing."""
        try:
            return compiled(self.grant)
        except UnprocessableEntityError as error:
            logger.error("a grant of %s %s allows nothing: %s", self.grant.kind, self.grant.subject, error.message)
            return None

    @property
    def is_prefix(self) -> bool:
        """Whether it is of all tools whose names begin so."""
        return self.grant.tool.endswith("*")

    def names(self, tool: str) -> bool:
        """Whether it is of this tool."""
        pattern = self.grant.tool
        return tool.startswith(pattern[:-1]) if self.is_prefix else tool == pattern

    def unmatched(self, arguments: Mapping[str, Any]) -> str | None:
        """The first argument that it does not cover; None where it covers all."""
        return unmatched(self.patterns or {}, arguments)
