"""`POST /v1/route`: where an input would go, and why."""

from __future__ import annotations

from typing import Literal

from autoglm.contract import notebook
from autoglm.contract.base import RequestModel, ResponseModel

RouteKind = Literal["model", "task"]


class RouteRequest(RequestModel):
    """The text of one request, which may be empty: that goes where undecided texts go.

    With `kind`, only routes to a model are considered, as `model: "auto"` does, or only those to a task.
    """

    input: str
    kind: RouteKind | None = None


class RouteCandidate(ResponseModel):
    """A route that was considered; the score is about 1 for a text like its examples, about 0 for one unlike them."""

    route: str
    model: str | None = None
    task: str | None = None
    score: float


class NearestExample(ResponseModel):
    """The best route's example that is most like the text; the similarity is a cosine."""

    route: str
    text: str
    similarity: float


class RouteDecision(ResponseModel):
    """The model or task that was chosen; neither, where the router abstained and nothing is declared for that.

    `route` is None exactly where it `abstained`. `confidence` is the estimated probability that the best candidate is
    right, `reason` is for people, and `candidates` are the three best at most, best first.
    """

    route: str | None = None
    model: str | None = None
    task: str | None = None
    confidence: float
    abstained: bool = False
    reason: str = ""
    candidates: tuple[RouteCandidate, ...] = ()
    nearest: NearestExample | None = None

    def _repr_html_(self) -> str:
        rows = [(found.route, found.model or found.task or "", f"{found.score:.3f}") for found in self.candidates]
        return notebook.table(f"{self.route or 'undecided'}: {self.reason}", ("route", "target", "score"), rows)
