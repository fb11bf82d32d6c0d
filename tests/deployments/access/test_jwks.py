"""Which keys of a key set are trusted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from deployments.access.jwks import parse
from tests.deployments.access.issuer import as_jwk, jwk, jwks, private_key

ALL = ("RS256", "ES256", "EdDSA")


def short_rsa() -> dict[str, Any]:
    with_1024_bits = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return as_jwk(with_1024_bits.public_key(), "RS256")


def p_384() -> dict[str, Any]:
    return as_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), "ES256")


@pytest.mark.parametrize("algorithm", ALL)
def test_each_family_has_its_one_algorithm(algorithm: str) -> None:
    """Whatever else the key says, or does not."""
    plain, full = jwk("plain", algorithm), jwk("full", algorithm, use="sig", alg=algorithm)
    keys = parse(jwks(plain, full), ALL)
    assert [(key.key_id, key.algorithm_name) for key in keys.keys] == [("plain", algorithm), ("full", algorithm)]
    assert parse(jwks(plain), [other for other in ALL if other != algorithm]).keys == ()


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(lambda: {"kty": "oct", "k": "c2VjcmV0", "kid": "bad"}, id="a shared secret"),
        pytest.param(lambda: {"kty": "oct", "k": "c2VjcmV0", "alg": "EdDSA", "crv": "Ed25519"}, id="a disguised one"),
        pytest.param(short_rsa, id="RSA of 1024 bits"),
        pytest.param(p_384, id="another curve"),
        pytest.param(lambda: jwk("bad", use="enc"), id="for encryption"),
        pytest.param(lambda: jwk("bad", "RS256", alg="PS256"), id="of another algorithm"),
        pytest.param(lambda: jwk("bad", "RS256", alg="HS256"), id="said to be for HMAC"),
        pytest.param(lambda: as_jwk(private_key("bad", "EdDSA"), "EdDSA"), id="a private key"),
        pytest.param(lambda: jwk("bad", x=7), id="x is a number"),
        pytest.param(lambda: jwk("bad", x="AAAA"), id="x is short"),
        pytest.param(lambda: jwk("bad", "ES256", y="A" * 43), id="no point of the curve"),
        pytest.param(lambda: jwk("bad", "RS256", e="Ag"), id="an even exponent"),
        pytest.param(lambda: {"kty": "RSA"}, id="no members"),
        pytest.param(lambda: {"kty": ["RSA"]}, id="kty is a list"),
        pytest.param(lambda: "RSA", id="no object"),
    ],
)
def test_a_key_that_cannot_be_trusted_is_ignored(entry: Any) -> None:
    """And those beside it are not."""
    keys = parse(json.dumps({"keys": [entry(), jwk("good")]}).encode(), ALL)
    assert [key.key_id for key in keys.keys] == ["good"]
    assert keys.ignored == 1


def test_a_token_without_a_key_id_has_the_only_key() -> None:
    """Among several none is tried: the issuer has to say which."""
    one, two = parse(jwks(jwk("one")), ALL), parse(jwks(jwk("one"), jwk("two")), ALL)
    assert one.find(None) is one.keys[0]
    assert two.find(None) is None
    assert two.find("two") is two.keys[1]
    assert two.find("three") is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"<html>", "Expecting value"),
        (b"\xff", "decode"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "no list 'keys'"),
        (b'{"keys": {}}', "no list 'keys'"),
        (b'{"keys": [' + b",".join([b"{}"] * 101) + b"]}", "101 keys; at most 100"),
    ],
)
def test_what_is_no_key_set_is_refused(document: bytes, message: str) -> None:
    """As a whole, by ValueError alone."""
    with pytest.raises(ValueError, match=message):
        parse(document, ALL)
