"""Tokens, and what forgers try with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from autoglm.errors import AuthenticationError
from deployments.access import JwtConfig, Principal
from deployments.access.jwt import ForgedTokenError, JwtVerifier
from tests.deployments.access.issuer import NOW, claims, compact, jwk, jwks, private_key, resigned, token
from tests.deployments.access.key_server import KeyServer
from tests.deployments.access.ticks import Ticks

KEYS = (("one", "EdDSA"), ("rsa", "RS256"), ("ec", "ES256"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The issuer's key set, one key of each family."""
    file = tmp_path / "jwks.json"
    publish(file, *(jwk(kid, algorithm) for kid, algorithm in KEYS))
    return file


@pytest.fixture
def verifier(path: Path, ticks: Ticks) -> JwtVerifier:
    """Knows those keys."""
    return made(path, ticks)


def publish(path: Path, *entries: dict[str, Any]) -> None:
    path.write_bytes(jwks(*entries))


def made(path: Path, ticks: Ticks, **fields: Any) -> JwtVerifier:
    config = JwtConfig.model_validate(
        {"jwks_file": path, "audience": "autoglm", "issuer": "https://issuer", "leeway_s": 30} | fields
    )
    return JwtVerifier(config, clock=ticks.moment, monotonic=ticks)


@pytest.mark.parametrize(("kid", "algorithm"), KEYS)
async def test_a_token_of_the_issuer_opens(verifier: JwtVerifier, kid: str, algorithm: str) -> None:
    """With each family of keys, for what its claims say."""
    said = token(kid, algorithm, scope="chat tools:clock files:read", tenant="acme", models=["chat"])
    caller = await verifier.verify(said)
    assert caller == Principal.model_validate(
        {
            "kind": "token",
            "id": "ada",
            "tenant": "acme",
            "scopes": ["chat", "tools:clock"],
            "models": ["chat"],
            "expires": NOW + 600 + 30,
        }
    )


async def test_what_a_token_leaves_out(verifier: JwtVerifier) -> None:
    """No scope: it may do nothing. No tenant: the default one. No models: all. Audience and scopes may be lists."""
    caller = await verifier.verify(token(scope=..., aud=["other", "autoglm"]))
    assert (caller.scopes, caller.tenant, caller.models) == ((), "default", None)
    caller = await verifier.verify(token(scope=["chat", "chat", "no such", "chat\n"], nbf=NOW, iat=NOW))
    assert [str(scope) for scope in caller.scopes] == ["chat"]


async def test_the_claims_may_have_other_names(path: Path, ticks: Ticks) -> None:
    """As many issuers have them."""
    names = {"scope_claim": "scp", "tenant_claim": "org", "models_claim": "llms"}
    caller = await made(path, ticks, **names).verify(token(scope="admin", scp="chat", org="acme", llms=[]))
    assert ([str(scope) for scope in caller.scopes], caller.tenant, caller.models) == (["chat"], "acme", ())


def hmac_with_public_key(encoding: str) -> str:
    """HS256 with what everybody knows of the RSA key as the secret."""
    if encoding == "jwk":
        secret = json.dumps(jwk("rsa", "RS256")).encode()
    else:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        secret = private_key("rsa", "RS256").public_key().public_bytes(getattr(serialization.Encoding, encoding), form)
    unsigned = compact({"alg": "HS256", "kid": "rsa"}, claims()).rpartition(".")[0]
    return signed(unsigned, hmac.digest(secret, unsigned.encode(), hashlib.sha256))


def signed(unsigned: str, signature: bytes) -> str:
    return unsigned + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def as_rs256(kid: str) -> str:
    """Rightly signed by the Ed25519 key, and said to be RS256 of the key `kid`."""
    return resigned(token(), {"alg": "RS256", "kid": kid})


FORGERIES: dict[str, Callable[[], str]] = {
    "alg none": lambda: compact({"alg": "none", "kid": "one"}, claims()),
    "alg none without a kid": lambda: compact({"alg": "none"}, claims()),
    "alg None": lambda: compact({"alg": None, "kid": "one"}, claims()),
    "alg NONE": lambda: compact({"alg": "NONE", "kid": "one"}, claims()),
    "no alg": lambda: compact({"kid": "one"}, claims()),
    "alg a list": lambda: compact({"alg": ["EdDSA"], "kid": "one"}, claims()),
    "alg an object": lambda: compact({"alg": {"EdDSA": 1}, "kid": "one"}, claims()),
    "HMAC with the public key in PEM": lambda: hmac_with_public_key("PEM"),
    "HMAC with the public key in DER": lambda: hmac_with_public_key("DER"),
    "HMAC with the public key as JWK": lambda: hmac_with_public_key("jwk"),
    "RS512 of the RSA key": lambda: resigned(token(), {"alg": "RS512", "kid": "rsa"}),
    "the algorithm of another family": lambda: as_rs256("one"),
    "the key of another family": lambda: as_rs256("rsa"),
    "no signature": lambda: token().rpartition(".")[0] + ".",
    "another token's signature": lambda: token(sub="eve").rpartition(".")[0] + "." + token().rpartition(".")[2],
    "changed claims": lambda: ".".join(
        [token().split(".")[0], compact({}, claims(sub="root")).split(".")[1], token().split(".")[2]]
    ),
    "a forger's key": lambda: token("one", signer="forger"),
    "a forger's key brought along": lambda: token("one", header={"jwk": jwk("one")}, signer="forger"),
    "a forger's only key": lambda: token(None, header={"jwk": jwk("forger")}, signer="forger"),
    "an unknown kid": lambda: token("two"),
    "no kid among three keys": lambda: token(None),
    "kid a path": lambda: token("one", header={"kid": "../../../../dev/null"}),
    "kid SQL": lambda: token("one", header={"kid": "one' OR '1'='1"}),
    "kid with a NUL": lambda: token("one", header={"kid": "one\0"}),
    "kid a number": lambda: compact({"alg": "EdDSA", "kid": 1}, claims(), b"x" * 64),
    "kid a list": lambda: compact({"alg": "EdDSA", "kid": ["one"]}, claims(), b"x" * 64),
    "kid null": lambda: compact({"alg": "EdDSA", "kid": None}, claims(), b"x" * 64),
    "crit": lambda: resigned(token(), {"alg": "EdDSA", "kid": "one", "crit": ["exp"], "exp": NOW}),
    "crit that the library knows": lambda: resigned(
        token(), {"alg": "EdDSA", "kid": "one", "crit": ["b64"], "b64": True}
    ),
    "detached payload": lambda: resigned(token(), {"alg": "EdDSA", "kid": "one", "crit": ["b64"], "b64": False}),
    "header a list": lambda: compact(["EdDSA"], claims()),
    "header nested": lambda: "W1tb" * 4000 + ".e30.e30",
    "header no JSON": lambda: "e30e.e30.e30",
    "no base64": lambda: "{}.{}.{}",
    "empty": lambda: "..",
    "too long": lambda: token(sub="x" * 16_384),
    "not ASCII": lambda: "é.é.é",
    "a surrogate": lambda: "\ud800.\ud800.\ud800",
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forgery_is_refused(verifier: JwtVerifier, forgery: str) -> None:
    """By 401 in one form, which has nothing of the token in it."""
    text = FORGERIES[forgery]()
    with pytest.raises(ForgedTokenError, match=r"^authorization: the token is not valid: it") as caught:
        await verifier.verify(text)
    assert (caught.value.status, caught.value.param) == (401, "authorization")
    assert all(len(part) < 3 or part not in caught.value.message for part in text.split("."))


@pytest.mark.parametrize("member", ["jku", "x5u"])
async def test_a_key_that_the_token_points_to_is_never_fetched(
    verifier: JwtVerifier, key_server: KeyServer, member: str
) -> None:
    """Else a forger's own server would be asked. An issuer that names its right place there is no forger."""
    key_server.document = jwks(jwk("one", x=jwk("forger")["x"]))
    with pytest.raises(ForgedTokenError):
        await verifier.verify(token("one", header={member: key_server.url}, signer="forger"))
    assert (await verifier.verify(token("one", header={member: key_server.url}))).id == "ada"
    assert key_server.paths == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"exp": NOW - 30}, "it has expired"),
    "expired long ago": ({"exp": 0}, "it has expired"),
    "exp missing": ({"exp": ...}, "its claim 'exp' is missing"),
    "exp null": ({"exp": None}, "'exp' has a wrong form"),
    "exp text": ({"exp": str(NOW + 600)}, "'exp' has a wrong form"),
    "exp true": ({"exp": True}, "'exp' has a wrong form"),
    "exp infinite": ({"exp": float("inf")}, "'exp' has a wrong form"),
    "exp NaN": ({"exp": float("nan")}, "'exp' has a wrong form"),
    "exp enormous": ({"exp": 10**400}, "'exp' has a wrong form"),
    "nbf ahead": ({"nbf": NOW + 31}, "it is not valid yet"),
    "nbf a list": ({"nbf": [NOW]}, "'nbf' has a wrong form"),
    "iat ahead": ({"iat": NOW + 31}, "it is not valid yet"),
    "iat text": ({"iat": "now"}, "'iat' has a wrong form"),
    "another issuer": ({"iss": "https://evil"}, "it is another issuer's"),
    "issuer's prefix": ({"iss": "https://issuer.evil"}, "it is another issuer's"),
    "no issuer": ({"iss": ...}, "it is another issuer's"),
    "issuers": ({"iss": ["https://issuer"]}, "'iss' has a wrong form"),
    "another audience": ({"aud": "other"}, "it is for another audience"),
    "other audiences": ({"aud": ["other", "autoglm2"]}, "it is for another audience"),
    "audience within": ({"aud": "xautoglmx"}, "it is for another audience"),
    "no audiences": ({"aud": []}, "it is for another audience"),
    "no audience": ({"aud": ...}, "its claim 'aud' is missing"),
    "audience with a number": ({"aud": ["autoglm", 1]}, "'aud' has a wrong form"),
    "audience an object": ({"aud": {"autoglm": 1}}, "'aud' has a wrong form"),
    "no subject": ({"sub": ...}, "its claim 'sub' is missing"),
    "empty subject": ({"sub": ""}, "'sub' has a wrong form"),
    "subject a number": ({"sub": 7}, "'sub' has a wrong form"),
    "long subject": ({"sub": "x" * 201}, "'sub' has a wrong form"),
    "two lines of subject": ({"sub": "ada\nlocal:local"}, "'sub' has a wrong form"),
    "subject a surrogate": ({"sub": "\ud800"}, "'sub' has a wrong form"),
    "scope a number": ({"scope": 7}, "'scope' has a wrong form"),
    "scope an object": ({"scope": {"admin": True}}, "'scope' has a wrong form"),
    "scopes with null": ({"scope": ["chat", None]}, "'scope' has a wrong form"),
    "101 scopes": ({"scope": ["chat"] * 101}, "'scope' has a wrong form"),
    "tenant null": ({"tenant": None}, "'tenant' has a wrong form"),
    "tenant SQL": ({"tenant": "a'; DROP TABLE"}, "'tenant' has a wrong form"),
    "models text": ({"models": "chat"}, "'models' has a wrong form"),
    "models numbers": ({"models": [1]}, "'models' has a wrong form"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_claims_that_do_not_hold_are_refused(verifier: JwtVerifier, case: str) -> None:
    """By 401 that says which; but it is the issuer's own token, and so no guess."""
    changed, message = REFUSED[case]
    with pytest.raises(AuthenticationError, match=rf"^authorization: the token is not valid: .*{message}$") as caught:
        await verifier.verify(token(**changed))
    assert not isinstance(caught.value, ForgedTokenError)


@pytest.mark.parametrize("payload", [b"", b"[]", b'"ada"', b"null", b"\xff", b"[" * 10_000, b"{" * 3])
async def test_a_payload_that_is_no_object_is_refused(verifier: JwtVerifier, payload: bytes) -> None:
    """Also where the issuer's own key signed it."""
    with pytest.raises(AuthenticationError, match="claims are not a JSON object"):
        await verifier.verify(token(payload=payload))


async def test_the_leeway_is_for_clocks_that_differ(verifier: JwtVerifier, path: Path, ticks: Ticks) -> None:
    """To the second, both ways, and none where none is configured."""
    for changed in ({"exp": NOW - 29}, {"nbf": NOW + 30}, {"iat": NOW + 30}):
        assert (await verifier.verify(token(**changed))).id == "ada"
    exact = made(path, ticks, leeway_s=0)
    for changed in ({"exp": NOW}, {"nbf": NOW + 1}, {"iat": NOW + 1}):
        with pytest.raises(AuthenticationError):
            await exact.verify(token(**changed))


async def test_only_the_configured_algorithms_are_taken(path: Path, ticks: Ticks) -> None:
    """A key of another family in the same key set opens nothing."""
    verifier = made(path, ticks, algorithms=["ES256"])
    assert (await verifier.verify(token("ec", "ES256"))).id == "ada"
    with pytest.raises(ForgedTokenError, match="its algorithm is not one of ES256"):
        await verifier.verify(token())


async def test_a_key_that_was_taken_out_of_the_file_opens_nothing(path: Path, verifier: JwtVerifier) -> None:
    """And its successor does, without a restart."""
    old, new = token(), token("next")
    assert (await verifier.verify(old)).id == "ada"
    publish(path, jwk("next"))
    with pytest.raises(ForgedTokenError, match="not one of the issuer's"):
        await verifier.verify(old)
    assert (await verifier.verify(new)).id == "ada"
    assert (await verifier.verify(token(None, signer="next"))).id == "ada"


async def test_keys_rotate_by_url(key_server: KeyServer, ticks: Ticks) -> None:
    """A token of the new key is taken at once; invented ids do not bring more fetches."""
    key_server.document = jwks(jwk("one"))
    config = JwtConfig(jwks_url=key_server.url, audience="autoglm")
    verifier = JwtVerifier(config, clock=ticks.moment, monotonic=ticks)
    assert (await verifier.verify(token())).id == "ada"
    key_server.document = jwks(jwk("next"))
    ticks.now = 10
    assert (await verifier.verify(token("next"))).id == "ada"
    for number in range(10):
        with pytest.raises(ForgedTokenError):
            await verifier.verify(token(header={"kid": f"invented {number}"}))
    with pytest.raises(ForgedTokenError):
        await verifier.verify(token())
    assert len(key_server.paths) == 2
    await verifier.aclose()
