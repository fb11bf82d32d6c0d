"""Questions that mean the same: which get an earlier answer, and which never do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deployments.router.cache import (
    ANYTHING,
    CacheConfig,
    CacheDirectives,
    ResponseCache,
    SemanticConfig,
    key_of,
    question_of,
)
from deployments.router.cache.semantic import MAX_CHARS, Vectors
from deployments.router.cache.wording import agree
from tests.deployments.router.cache.engine import Clock, Engine

CARD, SAME, OTHER = "How do I activate my card?", "How can I activate my card?", "Is my card lost?"


def embed(texts: list[str]) -> Vectors:
    """Questions about activation point one way, all others another."""
    return np.array([[2, 0.1] if "activate" in text else [0, 3] for text in texts], np.float32)


def payload(text: str, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "temperature": 0} | fields


class Bench:
    def __init__(self, **semantic: Any) -> None:
        self.clock = Clock()
        config = CacheConfig(semantic=SemanticConfig(**semantic))
        self.cache = ResponseCache(config, embed=embed, clock=self.clock)

    async def ask(
        self, text: str, directives: CacheDirectives = ANYTHING, fields: dict[str, Any] | None = None, **at: str
    ) -> bytes:
        """The text of the question whose answer it got."""
        where = {"tenant": "a", "name": "chat", "version": "v1", "lane": "stable", "permissions": "0"} | at
        request = payload(text, **(fields or {}))
        key, question = key_of(**where, payload=request), question_of(**where, payload=request)
        return (await self.cache.whole(key, directives, Engine(text.encode()).compute, question)).body


async def test_a_question_that_means_the_same_gets_the_earlier_answer() -> None:
    """And one that does not, does not; both are told apart in the figures."""
    bench = Bench()
    assert [await bench.ask(text) for text in (CARD, SAME, OTHER)] == [CARD.encode(), CARD.encode(), OTHER.encode()]
    assert (bench.cache.status().similar_hits, bench.cache.status().hits) == (1, 1)


@pytest.mark.parametrize(
    "at", [{"tenant": "b"}, {"name": "x"}, {"version": "v2"}, {"lane": "canary"}, {"permissions": "1"}]
)
async def test_no_answer_crosses_tenants_models_versions_lanes_or_permissions(at: dict[str, str]) -> None:
    """However alike the words are."""
    bench = Bench()
    await bench.ask(CARD)
    assert await bench.ask(SAME, **at) == SAME.encode()


@pytest.mark.parametrize("fields", [{"max_tokens": 5}, {"tools": [{}]}, {"seed": 1}, {"top_k": 1}])
async def test_other_parameters_make_another_question(fields: dict[str, Any]) -> None:
    """Only the words of the last turn may differ."""
    bench = Bench()
    await bench.ask(CARD)
    assert await bench.ask(SAME, fields=fields) == SAME.encode()


async def test_freshness_and_directives_hold_for_a_similar_answer_too() -> None:
    """An old answer is old for everybody."""
    bench = Bench()
    await bench.ask(CARD)
    assert await bench.ask(SAME, CacheDirectives(no_cache=True)) == SAME.encode()
    bench = Bench()
    await bench.ask(CARD)
    bench.clock.now += 10
    assert await bench.ask(SAME, CacheDirectives(max_age_s=9)) == SAME.encode()


async def test_what_is_remembered_is_bounded_by_tenant_and_in_tenants() -> None:
    """The oldest question leaves first, and the tenant that was silent longest."""
    bench = Bench(max_entries_per_tenant=2, max_tenants=2)
    for text in (CARD, "lost", "stolen"):
        await bench.ask(text)
    assert await bench.ask(SAME) == SAME.encode()
    for tenant in ("b", "c"):
        await bench.ask(CARD, tenant=tenant)
    assert await bench.ask("Can I activate my card?", tenant="c") == CARD.encode()
    assert await bench.ask("I activate my card?") == b"I activate my card?"


@pytest.mark.parametrize(
    ("request_", "is_taken"),
    [
        (payload(CARD), True),
        (payload(CARD, messages=[{"role": "system", "content": "s"}, {"role": "user", "content": CARD}]), True),
        (payload(CARD, temperature=0.5), False),
        (payload(" "), False),
        (payload("x" * (MAX_CHARS + 1)), False),
        (payload(CARD, messages=[{"role": "user", "content": [{"type": "text", "text": CARD}]}]), False),
        (payload(CARD, messages=[{"role": role, "content": CARD} for role in ("user", "assistant", "user")]), False),
        (payload(CARD, messages=[{"role": "user", "content": CARD}, {"role": "system", "content": "s"}]), False),
        ({"prompt": CARD, "temperature": 0}, False),
    ],
)
def test_only_one_users_turn_of_a_deterministic_chat_is_a_question(request_: dict[str, Any], is_taken: bool) -> None:
    """In a conversation the same words may mean anything."""
    found = question_of(tenant="a", name="n", version="v", lane="l", permissions="", payload=request_)
    assert (found is not None) is is_taken


@pytest.mark.parametrize(
    ("text", "other", "expected"),
    [
        (CARD, SAME, True),
        ("What's my PIN", "what\N{RIGHT SINGLE QUOTATION MARK}s my pin?", True),
        ("Transfer 100 from Ann to Bob", "Transfer 100 from Bob to Ann", False),
        ("Is it safe to mix them?", "Is it not safe to mix them?", False),
        ("I can pay", "I can't pay", False),
        ("Who won in 2019?", "Who won in 2020?", False),
        ("Who won?", "Who won in 2020?", False),
        ("\u4f60\u597d", "\u8c22\u8c22", False),
    ],
)
def test_what_vectors_do_not_see_is_seen_in_the_wording(text: str, other: str, expected: bool) -> None:
    """Order, negation and numbers, which an average of words loses."""
    assert (agree(text, other), agree(other, text)) == (expected, expected)


def test_a_semantic_cache_without_vectors_is_refused() -> None:
    """At the start, not at the first request."""
    with pytest.raises(ValueError, match="embed"):
        ResponseCache(CacheConfig(semantic=SemanticConfig()))
