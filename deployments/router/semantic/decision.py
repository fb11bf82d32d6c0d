"""From a ranking to a decision: the best route, or an abstention with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from autoglm.contract.route import NearestExample, RouteCandidate, RouteDecision, RouteKind
from deployments.router.semantic.config import RoutingConfig


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best routes for a text, best first, and what speaks for the first of them."""

    candidates: tuple[RouteCandidate, ...]
    confidence: float
    margin: float
    nearest: NearestExample


def decided(config: RoutingConfig, kind: RouteKind | None, ranking: Ranking) -> RouteDecision:
    """The first candidate, unless it is too doubtful."""
    best = ranking.candidates[0]
    if reason := doubt(config, ranking):
        return refused(config, kind, reason, ranking)
    return RouteDecision(
        route=best.route,
        model=best.model,
        task=best.task,
        confidence=ranking.confidence,
        reason=f"most like the examples of {best.route!r}",
        candidates=ranking.candidates,
        nearest=ranking.nearest,
    )


def refused(
    config: RoutingConfig, kind: RouteKind | None, reason: str, ranking: Ranking | None = None
) -> RouteDecision:
    """An abstention: the declared model; nothing where a task is asked for, since no task fits every text."""
    return RouteDecision(
        model=None if kind == "task" else config.abstain,
        confidence=ranking.confidence if ranking else 0.0,
        abstained=True,
        reason=reason,
        candidates=ranking.candidates if ranking else (),
        nearest=ranking.nearest if ranking else None,
    )


def doubt(config: RoutingConfig, ranking: Ranking) -> str | None:
    """What speaks against the first candidate, None where nothing does enough."""
    threshold = threshold_of(config, ranking.candidates[0].route)
    if ranking.confidence < threshold:
        return f"confidence {ranking.confidence:.2f} is below the threshold {threshold:.2f}"
    if len(ranking.candidates) > 1 and ranking.margin < config.margin:
        return f"the two best scores lie {ranking.margin:.3f} apart, within the margin {config.margin:.3f}"
    return None


def threshold_of(config: RoutingConfig, name: str) -> float:
    """A route's own threshold, or the common one."""
    own = next(route.threshold for route in config.routes if route.name == name)
    return config.threshold if own is None else own
