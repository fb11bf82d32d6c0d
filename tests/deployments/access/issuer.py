"""An issuer of tokens, its keys, and what a forger makes of them."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

NOW = 1_772_323_200  # 2026-03-01, in seconds since 1970
CONVERTERS: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


@cache
def private_key(kid: str, algorithm: str) -> Any:
    """The key of this name, made once a run: an RSA key takes a while."""
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()


def jwk(kid: str, algorithm: str = "EdDSA", **members: Any) -> dict[str, Any]:
    """The public key as an entry of a key set."""
    return as_jwk(private_key(kid, algorithm).public_key(), algorithm) | {"kid": kid} | members


def as_jwk(key: Any, algorithm: str) -> dict[str, Any]:
    """A key as its JSON members."""
    members = json.loads(CONVERTERS[algorithm].to_jwk(key))
    return {name: value for name, value in members.items() if name != "key_ops"}


def jwks(*entries: dict[str, Any]) -> bytes:
    """A key set."""
    return json.dumps({"keys": entries}).encode()


def claims(**changed: Any) -> dict[str, Any]:
    """What a good token says, changed; a claim that is `...` is left out."""
    said = {"sub": "ada", "aud": "autoglm", "iss": "https://issuer", "exp": NOW + 600, "scope": "chat"} | changed
    return {name: value for name, value in said.items() if value is not ...}


def token(
    kid: str | None = "one",
    algorithm: str = "EdDSA",
    header: dict[str, Any] | None = None,
    payload: bytes | None = None,
    signer: str | None = None,
    **changed: Any,
) -> str:
    """A token that the key `signer`, or else `kid`, signed."""
    said = json.dumps(claims(**changed)).encode() if payload is None else payload
    headers = {} if kid is None else {"kid": kid}
    return PyJWS().encode(said, private_key(signer or kid or "one", algorithm), algorithm, headers | (header or {}))


def compact(header: Any, payload: Any, signature: bytes = b"") -> str:
    """A token put together by hand, where a library would refuse to make it."""
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def resigned(text: str, header: dict[str, Any], kid: str = "one") -> str:
    """The token with another header, rightly signed by the Ed25519 key `kid`."""
    payload = text.split(".")[1]
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    signature = private_key(kid, "EdDSA").sign(f"{first}.{payload}".encode())
    return f"{first}.{payload}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
