"""JSON documents, and what leads into them."""

from __future__ import annotations

from deployments.planner.planning.rules.scene import Scene
from deployments.planner.planning.rules.slots.span import Found


def document(scene: Scene, at: int) -> Found:
    """A JSON document."""
    if scene.kind_at(at) == "json":
        yield at + 1, scene.tokens[at].value


def query(scene: Scene, at: int) -> Found:
    """A path into a document: `user.name`, quoted or not."""
    if scene.kind_at(at) in ("path", "text"):
        yield at + 1, scene.tokens[at].value


def key(scene: Scene, at: int) -> Found:
    """One word as it stands."""
    if scene.kind_at(at) == "word":
        yield at + 1, scene.tokens[at].written
