"""How the applications of the registered versions fare, as Serve tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from autoglm.contract.registration import RegistrationStatus


@dataclass(frozen=True, slots=True)
class State:
    """One application's; `message` says why it failed."""

    status: RegistrationStatus
    message: str = ""


class States(Protocol):
    """Tells how the Serve applications fare."""

    def __call__(self) -> Mapping[str, State]:
        """By name (`model-NAME-VERSION`), with those that are being removed; absent is what Serve does not know.

        It is called in a thread. Raises UnavailableError where Serve does not answer.
        """


REGISTERED = State("registered")


def nothing_deployed() -> Mapping[str, State]:
    """Where no Serve runs."""
    return {}
