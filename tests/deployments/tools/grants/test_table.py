"""What grants allow, and what nobody gets past."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoglm.contract.grant import Grant
from autoglm.contract.scope import Scope
from autoglm.errors import UnprocessableEntityError
from deployments.caller import Caller
from deployments.tools.grants import Asking, GrantTable, check_patterns
from deployments.tools.grants.pattern import MAX_TEXT

KEY = Caller(kind="key", id="key_1", tenant="acme")
ALL = (Scope("tools:*"),)


def asking(caller: Caller = KEY, *scopes: str) -> Asking:
    return Asking(caller, tuple(map(Scope, scopes)) or ALL)


def tenant(tool: str = "read", **rest: Any) -> Grant:
    return Grant(kind="tenant", subject="acme", tool=tool, **rest)


def covers(pattern: str, value: Any) -> bool:
    """Whether a grant with this pattern of `path` covers a call with this path."""
    return GrantTable([tenant(arguments={"path": pattern})]).decide(asking(), "read", {"path": value}).allowed


def test_without_a_grant_nothing_is_allowed_and_the_reason_says_which_is_missing() -> None:
    """A scope alone is none."""
    decision = GrantTable().decide(asking(), "read", {})
    assert not decision.allowed
    assert decision.reason == (
        "tool 'read' needs a grant: key 'key_1' or tenant 'acme' has none; "
        "`autoglm grants add tenant acme read` makes one"
    )


def test_without_the_scope_a_grant_allows_nothing() -> None:
    """Neither another tool's scope, nor one that is no tool's; the reason names the one that is missing."""
    table = GrantTable([tenant()])
    for scopes in (["tools:write"], ["admin", "tasks"]):
        decision = table.decide(asking(KEY, *scopes), "read", {})
        assert not decision.allowed
        assert "needs the scope 'tools:read'" in decision.reason
    assert table.decide(asking(KEY, "tools:read"), "read", {}).allowed


@pytest.mark.parametrize(
    ("caller", "allowed"),
    [
        (Caller(kind="key", id="key_1", tenant="other"), True),
        (Caller(kind="key", id="key_2", tenant="other"), False),
        (Caller(kind="user", id="key_1", tenant="other"), False),
        (Caller(kind="token", id="key_1", tenant="other"), False),
        (Caller(kind="user", id="ada", tenant="key_1"), False),
    ],
)
def test_a_keys_grant_is_that_keys_alone(caller: Caller, allowed: bool) -> None:
    """A user, a token or a tenant that is called as the key is has nothing of it."""
    table = GrantTable([Grant(kind="key", subject="key_1", tool="read")])
    assert table.decide(asking(caller), "read", {}).allowed is allowed


@pytest.mark.parametrize(
    ("pattern", "tool", "allowed"),
    [
        ("read", "read", True),
        ("read", "reader", False),
        ("read", "READ", False),
        ("files.*", "files.read", True),
        ("files.*", "files", False),
        ("files.*", "filesx", False),
        ("*", "anything", True),
    ],
)
def test_a_tool_is_named_whole_or_by_how_it_begins(pattern: str, tool: str, allowed: bool) -> None:
    """The dot is a dot."""
    assert GrantTable([tenant(pattern)]).decide(asking(), tool, {}).allowed is allowed


@pytest.mark.parametrize(
    "path",
    [
        "/data/../etc/passwd",
        "/data/a.csv\n",
        "\n/data/a.csv",
        "/data/a.csv\x00",
        "/data/a.csv\u2028",
        "/DATA/A.CSV",
        "/data/\uff41.csv",  # a full-width a
        "/data/%61.csv",
        "/data/a.csv /etc/passwd",
        ["/data/a.csv"],
        ["/data/a.csv", "/etc/passwd"],
        {"/data/a.csv": ""},
        {"path": "/data/a.csv"},
        None,
        "",
        "\ud800",
    ],
    ids=repr,
)
def test_a_pattern_is_of_the_whole_text_as_it_was_sent(path: Any) -> None:
    """No line's end, no other letter that looks the same, no list around it: what is not the pattern is refused."""
    assert covers(r"/data/[a-z]+\.csv", "/data/a.csv")
    assert not covers(r"/data/[a-z]+\.csv", path)


def test_alternatives_are_as_whole_as_the_pattern() -> None:
    """`a|b` is no prefix and no suffix of anything."""
    assert [covers("a|b", path) for path in ("a", "b", "ax", "xb", "a|b")] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("pattern", "value", "covered"),
    [
        (r"[1-9]|10", 10, True),
        (r"[1-9]|10", 11, False),
        (r"[1-9]|10", 1.0, False),
        (r"true", True, True),
        (r"true", 1, False),
        (r'\["a"(,"a")*\]', ["a", "a"], True),
        (r'\["a"(,"a")*\]', ["a", "b"], False),
        (r'\["[^"]*"\]', ['x","y'], False),
        (r'\{"b":1,"c":2\}', {"c": 2, "b": 1}, True),
        (r'\{"to":"[a-z]+"\}', {"to": "ann", "bcc": "eve"}, False),
        (r".*", float("nan"), False),
        (r".*", b"bytes", False),
    ],
    ids=repr,
)
def test_other_values_are_matched_as_their_json(pattern: str, value: Any, covered: bool) -> None:
    """Without spaces and with fields in order; what is no JSON is covered by nothing."""
    assert covers(pattern, value) is covered


def test_what_is_too_long_is_covered_by_nothing() -> None:
    """The time that a caller can make a pattern take is bounded."""
    assert covers("a*", "a" * MAX_TEXT)
    assert not covers("a*", "a" * (MAX_TEXT + 1))


def test_what_nests_too_deeply_is_covered_by_nothing() -> None:
    """And ends no process."""
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert not covers(r".*", deep)


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_a_literal_pattern_covers_only_that_text(value: Any) -> None:
    """Whatever is sent: nothing is normalised on the way to the pattern."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert covers("harmless", value) is (text == "harmless")


def test_a_named_argument_must_be_there() -> None:
    """A default that the tool would take for it has not been looked at."""
    table = GrantTable([tenant(arguments={"path": ".*"})])
    for arguments in ({}, {"Path": "a"}, {"path ": "a"}):
        decision = table.decide(asking(), "read", arguments)
        assert not decision.allowed
        assert "the argument 'path' must match '.*'" in decision.reason


def test_patterns_take_time_in_proportion_to_the_text() -> None:
    """One that backtracks would take 2^50 steps here, and a test's time limit ends it."""
    assert not covers("(a+)+b", "a" * 50_000)


def test_one_grant_must_cover_a_call_as_a_whole() -> None:
    """Two halves of two grants are none."""
    table = GrantTable([tenant(arguments={"a": "1", "b": "1"}), tenant(arguments={"a": "2", "b": "2"})])
    assert table.decide(asking(), "read", {"a": "2", "b": "2"}).allowed
    assert not table.decide(asking(), "read", {"a": "1", "b": "2"}).allowed


def test_of_several_grants_the_most_permissive_counts_for_approval() -> None:
    """Where it covers the call; while the arguments are not known, an approval may be needed."""
    table = GrantTable([tenant(needs_approval=True), tenant(arguments={"path": "/tmp/[a-z]+"})])
    assert not table.decide(asking(), "read", {"path": "/tmp/a"}).needs_approval
    assert table.decide(asking(), "read", {"path": "/etc"}).needs_approval
    assert table.decide(asking(), "read").needs_approval
    assert not GrantTable([tenant(needs_approval=True), tenant()]).decide(asking(), "read").needs_approval


def test_a_request_narrows_what_is_granted() -> None:
    """To the tools that it names; to none where it names none."""
    table = GrantTable([tenant("*")])
    narrowed = replace(asking(), tools=frozenset({"write"}))
    assert [table.decide(narrowed, tool, {}).allowed for tool in ("read", "write")] == [False, True]
    assert "left out by the request's `tools`" in table.decide(narrowed, "read", {}).reason
    assert not table.decide(replace(asking(), tools=frozenset()), "read", {}).allowed


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?=a)", "(a{1000}){1000}", "\ud800"])
def test_a_pattern_that_is_none_is_refused_and_where_it_is_told_allows_nothing(
    pattern: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The grants beside it count on."""
    wrong = Grant.model_construct(
        kind="tenant",
        subject="acme",
        tool="read",
        arguments={"path": pattern},
        calls_per_minute=None,
        needs_approval=False,
    )
    with pytest.raises(UnprocessableEntityError) as caught:
        check_patterns(wrong)
    assert caught.value.param == "arguments.path"
    caplog.set_level(logging.ERROR)
    table = GrantTable([wrong, tenant("write")])
    assert not table.decide(asking(), "read", {"path": pattern}).allowed
    assert table.decide(asking(), "write", {}).allowed
    assert "allows nothing" in caplog.text
