"""Which credential an operation is sent with: the document says of what kind, the entry's `auth` where it lies."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx2

from autoglm.errors import ConfigError
from deployments.tools.net.credential import Credential
from deployments.tools.secrets import SecretReference, Secrets
from deployments.tools.sources.openapi.document import Document


@dataclass(frozen=True, slots=True)
class Scheme:
    """A credential's place in a request; `prefix` stands before it in Authorization."""

    place: Literal["header", "query", "cookie", "basic"]
    name: str
    reference: SecretReference
    prefix: str = ""


def schemes_of(document: Document, auth: Mapping[str, SecretReference]) -> dict[str, Scheme]:
    """The security schemes for which `auth` has a credential.

    Raises:
        ConfigError: `auth` names one that the document does not have, or that no single secret satisfies.
    """
    known = _section(document)
    unknown = sorted(set(auth) - set(known))
    if unknown:
        raise ConfigError(f"auth: got {unknown[0]!r}; the document's security schemes are {', '.join(known) or 'none'}")
    return {name: _scheme(name, document.resolved(known[name]), reference) for name, reference in auth.items()}


def required_schemes(
    document: Document, operation: Mapping[str, Any], schemes: Mapping[str, Scheme]
) -> tuple[Scheme, ...]:
    """Those of the first of the operation's alternatives that `auth` satisfies; none where it is open to all.

    Raises:
        ValueError: there is no such alternative.
    """
    alternatives = operation.get("security", document.root.get("security")) or [{}]
    if not isinstance(alternatives, list):
        raise ValueError("its security is no list")
    offered = [alternative for alternative in alternatives if set(alternative) <= set(schemes)]
    # One that asks for nothing is the last resort: what was declared is there to be used.
    for alternative in sorted(offered, key=lambda alternative: not alternative):
        return tuple(schemes[name] for name in alternative)
    wanted = " or ".join(" and ".join(alternative) for alternative in alternatives)
    raise ValueError(f"it needs {wanted}: give the credential under auth")


async def credential(origin: httpx2.URL, schemes: Sequence[Scheme], secrets: Secrets) -> Credential:
    """What the schemes add to a request, as it is now.

    Raises:
        ConfigError: a secret is missing.
    """
    places: dict[str, list[tuple[str, str]]] = {"header": [], "query": [], "cookie": []}
    for scheme in schemes:
        value = await secrets.value(scheme.reference)
        if scheme.place == "basic":
            value = base64.b64encode(value.encode()).decode()
        place = "header" if scheme.place == "basic" else scheme.place
        places[place].append((scheme.name, scheme.prefix + value))
    return Credential(origin, *(tuple(places[place]) for place in ("header", "query", "cookie")))


def _section(document: Document) -> Mapping[str, Any]:
    components = document.root.get("components") or {}
    return components.get("securitySchemes") or {}


def _scheme(name: str, declared: Mapping[str, Any], reference: SecretReference) -> Scheme:
    kind = declared.get("type")
    if kind == "apiKey" and declared.get("in") in ("header", "query", "cookie"):
        return Scheme(declared["in"], str(declared["name"]), reference)
    spoken = str(declared.get("scheme", "")).lower()
    if kind == "http" and spoken == "basic":
        return Scheme("basic", "authorization", reference, "Basic ")
    if kind in ("oauth2", "openIdConnect") or (kind == "http" and spoken == "bearer"):
        return Scheme("header", "authorization", reference, "Bearer ")
    raise ConfigError(f"auth: {name!r} is of the kind {kind} {spoken}; apiKey, http bearer and http basic are served")
