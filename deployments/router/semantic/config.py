"""The declared routes and when to abstain."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from autoglm.contract.field import NAME
from deployments.meaning.text import MAX_CHARS, normalised

Name = Annotated[str, StringConstraints(pattern=NAME)]
Example = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARS)]
Probability = Annotated[float, Field(ge=0, le=1)]

# A decision compares its text with every example, in the event loop: the quickest tenth takes 0.23 ms with 770 and
# 0.31 ms with 2,000. Fitting is cubic in their number: 0.4 s and 1.5 s of a thread.
MAX_EXAMPLES = 2000


class Section(BaseModel):
    """The base of this file: unknown keys refused, values fixed."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class SemanticRoute(Section):
    """Texts that belong together, and the one model or task that they go to."""

    name: Name
    examples: tuple[Example, ...] = Field(min_length=1)
    model: Name | None = None
    task: Name | None = None
    threshold: Probability | None = None  # in place of the common one

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.model is None) == (self.task is None):
            given = "neither" if self.model is None else "both"
            raise ValueError(f"route {self.name!r} names {given} of model and task; name one of them")
        return self

    @model_validator(mode="after")
    def _with_words(self) -> Self:
        if blank := next((text for text in self.examples if not normalised(text)), None):
            raise ValueError(f"examples of route {self.name!r}: got {blank!r}, which is blank; write a text")
        return self


class RoutingRules(Section):
    """How a text is decided on. One whose confidence is below `threshold`, or whose two best scores lie within `margin`
    of each other, goes to the model named by `abstain`; where that is None, or a task was asked for, `auto` refuses it.
    """

    encoder: Literal["wordllama", "e5"] = "wordllama"
    threshold: Probability = 0.5  # more often right than wrong
    margin: float = Field(default=0.02, ge=0, le=1)  # held-out BANKING77 questions nearer than that: 33 % right
    abstain: Name | None = None


class RoutingConfig(RoutingRules):
    """The rules and all routes."""

    routes: tuple[SemanticRoute, ...] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [route.name for route in self.routes]
        if repeated := next((name for index, name in enumerate(names) if name in names[:index]), None):
            raise ValueError(f"the route {repeated!r} is declared twice")
        return self

    @model_validator(mode="after")
    def _examples_apart(self) -> Self:
        owners: dict[str, str] = {}
        for route in self.routes:
            for text in route.examples:
                owner = owners.setdefault(normalised(text), route.name)
                if owner != route.name:
                    raise ValueError(f"the example {text!r} is in the routes {owner!r} and {route.name!r}; keep one")
        return self

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        count = sum(len(route.examples) for route in self.routes)
        if count > MAX_EXAMPLES:
            raise ValueError(
                f"routes: got {count:,} examples, at most {MAX_EXAMPLES:,} are taken; keep the telling ones"
            )
        return self

    def models(self) -> frozenset[str]:
        """The models that are named, `abstain` among them."""
        named = [*(route.model for route in self.routes), self.abstain]
        return frozenset(model for model in named if model is not None)

    def tasks(self) -> frozenset[str]:
        """The tasks that are named."""
        return frozenset(route.task for route in self.routes if route.task is not None)
