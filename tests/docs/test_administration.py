"""The page on administration: its snippets, as they are printed, against the real admin API."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoglm.contract.scope import KNOWN
from tests.autoglm.admin_server import running
from tests.snippets import ROOT, expect, run, snippets

PAGE = "docs/administration.md"
SNIPPETS = snippets(PAGE, "bash", "python")
EXPECTED = [
    ["ag_", "sentiment", "expires"],
    ["key_", "ci 20", "ci None"],
    ['"secret":"ag_', '"expires":"2030-12-31T00:00:00Z"'],
    ["ada: tenant acme, scopes chat", "ada: deleted"],
    ["tokens_per_day 2,000,000"],
    ["['acme']"],
    ['"tokens_per_day":null', '"budget":50.0'],
    ["m00000", "10"],
    ["acme 2026-03-01 1 1.5"],
    ["key,day,requests", "key_a,2026-02-28,1"],
    ["half-open", "62%", "chat v2: open", "chat v2: automatic"],
    ["chat v1 r1 half_open False", "chat v2 r1 closed True", "1 of 2 router replicas answered"],
    ['{"name":"chat","version":"v2","state":"automatic"}', '"held":[],"replicas":2,"answered":1'],
    ["breakers.put chat/v2", "quotas.put tenant:acme", "users.delete ada", "keys.revoke key_"],
]


def test_every_snippet_gives_what_the_page_says(tmp_path: Path) -> None:
    """One after the other, as a reader would; each is expected."""
    assert len(SNIPPETS) == len(EXPECTED)
    with running(tmp_path) as server:
        server.spend(days=2)
        (tmp_path / ".autoglm").mkdir()
        (tmp_path / ".autoglm" / "key").write_text(server.secret)
        for snippet, words in zip(SNIPPETS, EXPECTED, strict=True):
            expect(words, run(snippet, tmp_path, server.base_url.removesuffix("/v1")))
    assert (tmp_path / "usage.csv").read_text().startswith("key,model,day,")


@pytest.mark.parametrize("scope", KNOWN)
def test_every_scope_is_on_the_page(scope: str) -> None:
    """A new one is documented where keys are."""
    assert f"`{scope}`" in (ROOT / PAGE).read_text()
