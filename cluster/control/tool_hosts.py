"""How registered tools fare on the replicas that host them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from autoglm.contract.tool_registration import ToolRegistration, ToolStatus
from autoglm.errors import UnavailableError
from cluster.control.replicas import TIMEOUT_S, Reach, Replicas, threaded_handle
from deployments.tools.config import ToolEntry, read_entry
from serve_app.app import told_entry
from serve_app.names import TOOLS
from serve_app.tools import host_of

WORST_FIRST: tuple[ToolStatus, ...] = ("failed", "loading", "loaded")

States = Mapping[str, Mapping[str, Any]]  # of a replica's entries, as ToolHost.entries tells them


class Hosts(Protocol):
    """Tells how entries fare."""

    def __call__(self, apps: Collection[str]) -> Mapping[str, Sequence[States]]:
        """By the application of a host, what each of its replicas says that answers in time. Called in a thread."""


def no_hosts(apps: Collection[str]) -> Mapping[str, Sequence[States]]:
    """Where no Serve runs."""
    return {}


class ToolHosts:
    """This cluster's, each followed while it answers. A call blocks for about `TIMEOUT_S` at most, over all of them."""

    def __init__(self, reach: Reach = threaded_handle, clock: Callable[[], float] = time.monotonic) -> None:
        self._reach = reach
        self._clock = clock
        self._replicas: dict[str, Replicas] = {}
        self._asking = threading.Lock()

    def __call__(self, apps: Collection[str]) -> Mapping[str, Sequence[States]]:
        """As `Hosts` says."""
        with self._asking:
            ends = self._clock() + TIMEOUT_S
            return {app: self._told(app, max(0.0, ends - self._clock())) for app in apps}

    def _told(self, app: str, left_s: float) -> Sequence[States]:
        replicas = self._replicas.pop(app, None) or Replicas(f"the host {app!r}", TOOLS, app, self._reach)
        try:
            states, _ = replicas.asked("entries", left_s)
        except UnavailableError:
            replicas.close()  # it may have gone for good
            return ()
        self._replicas[app] = replicas
        return states


def with_states(cards: Sequence[ToolRegistration], hosts: Hosts) -> list[ToolRegistration]:
    """The cards with what the hosts say; one that cannot even be read is on no host."""
    entries = {card.name: read_entry(card.entry) for card in cards if card.status != "failed"}
    told = hosts(sorted({host_of(entry) for entry in entries.values()}))
    return [
        faring(card, entries[card.name], told.get(host_of(entries[card.name]), ())) if card.name in entries else card
        for card in cards
    ]


def faring(card: ToolRegistration, entry: ToolEntry, told: Sequence[States]) -> ToolRegistration:
    """The card with what the replicas of its host say of it; the worst of them counts.

    Those that have not heard of the entry as it is now, and say how another one fares, have nothing to say of it.
    """
    states = [replica[card.name] for replica in told if card.name in replica]
    own = told_entry(entry)
    states = [state for state in states if state.get("entry", own) == own]
    if not states:
        return card
    statuses = [state["status"] for state in states]
    worst = next(status for status in WORST_FIRST if status in statuses)
    message = next((state["message"] for state in states if state["message"]), "")
    loaded = statuses.count("loaded")
    return card.model_copy(update={"status": worst, "message": message, "replicas": len(states), "loaded": loaded})
