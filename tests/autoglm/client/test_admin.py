"""Administration by the sync and the async client alike, against the real admin API."""

from __future__ import annotations

import csv
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from autoglm import errors
from autoglm.client import RetryPolicy, admin_calls
from autoglm.contract import Grant, Scope
from autoglm.contract.usage_report import MAX_ROWS
from tests.autoglm.admin_server import TODAY, AdminServer

pytestmark = pytest.mark.usefixtures("clean_environment")

Connect = Callable[..., Any]
PASSWORD = "correct horse battery"
CARD = {"name": "ci", "tenant": "acme", "scopes": ["chat"], "created": "2026-03-01T00:00:00Z"}
HOLD = {"version": "v1", "state": "open"}
GRANT: dict[str, Any] = {"grant": {"kind": "key", "subject": "k", "tool": "clock"}, "entry": {}}
KEY = {**CARD, "id": "key_" + "0" * 20, "prefix": "abcdefgh"}


@pytest.fixture
def admin(connect: Connect, admin_server: AdminServer) -> Any:
    """An administrator's `client.admin`."""
    return connect(api_key=admin_server.secret, base_url=admin_server.base_url).admin


def test_a_key_opens_what_it_was_made_for_until_it_is_revoked(connect: Connect, admin_server: AdminServer) -> None:
    """Its whole life: made by an administrator, refused where its scopes end, and nobody after its revocation."""
    url = admin_server.base_url
    admin = connect(api_key=admin_server.secret, base_url=url).admin
    chat, second = admin.create_key("ci", scopes="chat"), admin.create_key("ops", scopes=["admin", Scope("tools:*")])
    with pytest.raises(errors.PermissionDeniedError, match="'admin'"):
        connect(api_key=chat.secret, base_url=url).admin.revoke_key(second.id)
    assert [str(scope) for scope in second.scopes] == ["admin", "tools:*"]
    opened = connect(api_key=second.secret, base_url=url).admin
    assert {key.id for key in list(opened.keys())} == {chat.id, second.id, admin_server.key_id}
    ended = admin.revoke_key(second.id)
    assert ended.revoked is not None
    assert admin.revoke_key(second.id).revoked == ended.revoked
    with pytest.raises(errors.AuthenticationError):
        list(opened.keys())


def test_a_key_has_the_tenant_the_models_and_the_end_that_were_asked_for(admin: Any) -> None:
    """Each goes over the wire as it was given, the end in whatever time zone."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    made = admin.create_key("ci", scopes=("chat",), tenant="acme", models=["chat", "embed"], expires=end)
    assert (made.tenant, made.models, made.expires) == ("acme", ("chat", "embed"), end)
    [listed] = admin.keys("acme")
    assert (listed.id, listed.expires, listed.prefix) == (made.id, end, made.prefix)
    assert made.secret.startswith("ag_" + made.prefix)


def test_a_secret_is_in_no_repr_and_no_log(admin: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Nor is a user's password; both are there for who asks by name."""
    caplog.set_level(logging.DEBUG)
    made = admin.create_key("ci", scopes=["chat"])
    user = admin.create_user("ada", PASSWORD, scopes=["chat"])
    call = admin_calls.create_user("ada", PASSWORD, scopes="chat", tenant="default", models=None)
    shown = repr(made) + str(made) + repr(user) + repr(call) + caplog.text
    assert made.secret[11:] not in shown
    assert PASSWORD not in shown
    assert made.secret in made.model_dump_json()


@pytest.mark.parametrize("answer", [{**KEY, "id": None}, {**KEY, "name": 1}, {"error": "x"}])
def test_a_secret_is_in_no_traceback(connect: Connect, answer: dict[str, Any]) -> None:
    """A newer server's answer may be one that this client cannot read; what it held is not told."""
    network = connect(lambda _: httpx.Response(201, json={**answer, "secret": "ag_topsecret"})).admin
    with pytest.raises(errors.APIConnectionError, match="no KeyCreated") as caught:
        network.create_key("ci", scopes=["chat"])
    assert "topsecret" not in "".join(traceback.format_exception(caught.value))


def test_lists_come_whole_page_by_page(admin: Any, admin_server: AdminServer) -> None:
    """In the server's order, without loss or repetition, and no page is asked for before it is needed."""
    ids = [admin_server.add_key(f"k{number}", "chat")[0] for number in range(230)]
    assert [key.id for key in admin.keys("ops")] == [*reversed(ids), admin_server.key_id]
    for number in (3, 1, 2):
        admin.create_user(f"u{number}", PASSWORD, scopes=["chat"])
        admin.set_quota("key", ids[number], requests_per_day=number)
    admin.set_quota("tenant", "ops", budget=1.5)
    assert [user.name for user in admin.users()] == ["u1", "u2", "u3"]
    assert [quota.subject for quota in admin.quotas()] == [*sorted(ids[1:4]), "ops"]


@pytest.mark.parametrize("noun", ["keys", "users", "quotas"])
def test_a_page_is_asked_for_when_it_is_needed_by_the_last_item(connect: Connect, noun: str) -> None:
    """One request for the first item; the second page names the end of the first; an empty page ends the list."""
    item = {**KEY, "name": "ada", "kind": "tenant", "subject": "acme"}
    place = {
        "keys": {"after": KEY["id"]},
        "users": {"after": "ada"},
        "quotas": {"after_kind": "tenant", "after": "acme"},
    }
    asked: list[dict[str, str]] = []

    def network(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        data = [item, item] if len(asked) == 1 else []
        return httpx.Response(200, json={"data": data, "has_more": True})

    items = getattr(connect(network).admin, noun)()
    next(items)
    assert asked == [{}]
    assert len(list(items)) == 1
    assert asked == [{}, place[noun]]


def test_a_user_is_made_and_deleted(admin: Any) -> None:
    """A taken name and a name of nobody are told apart."""
    made = admin.create_user("ada", PASSWORD, scopes=["predict"], tenant="acme", models="sentiment")
    assert (made.tenant, made.models) == ("acme", ("sentiment",))
    with pytest.raises(errors.ConflictError, match="'ada' exists"):
        admin.create_user("ada", PASSWORD, scopes=["predict"])
    assert admin.delete_user("ada").name == "ada"
    with pytest.raises(errors.NotFoundError):
        admin.delete_user("ada")


def test_a_quota_is_set_as_a_whole(admin: Any) -> None:
    """What is not given again is no limit any more, as the documentation says."""
    admin.create_key("ci", scopes=["chat"], tenant="acme")
    first = admin.set_quota("tenant", "acme", requests_per_minute=60, tokens_per_day=0, budget=2.5)
    assert (first.requests_per_minute, first.tokens_per_day, first.budget) == (60, 0, 2.5)
    then = admin.set_quota("tenant", "acme", tokens_per_minute=1000, requests_per_day=9)
    assert (then.requests_per_minute, then.tokens_per_minute, then.requests_per_day) == (None, 1000, 9)
    assert list(admin.quotas()) == [then]


def test_usage_is_summed_by_what_is_asked_for(admin: Any, admin_server: AdminServer) -> None:
    """Both days of a range are in it; the CSV holds the same sums."""
    admin_server.spend(days=4)
    since = TODAY - timedelta(days=1)
    report = admin.usage(by=["day", "tenant"], since=since, until=TODAY)
    assert [(row.day, row.tenant, row.requests, row.cost) for row in report.data] == [
        (since, "acme", 1, 1.5),
        (TODAY, "acme", 1, 1.5),
    ]
    assert report.has_more is False
    [total] = admin.usage("model").data
    assert (total.model, total.key, total.prompt_tokens, total.completion_tokens) == ("m00000", None, 40, 20)
    rows = list(csv.DictReader(admin.usage_csv(until=since).splitlines()))
    assert [row["day"] for row in rows] == ["2026-02-26", "2026-02-27", "2026-02-28"]
    assert set(rows[0]) == {"key", "model", "day", "requests", "prompt_tokens", "completion_tokens", "cost"}


def test_usage_that_is_cut_short_says_so(admin: Any, admin_server: AdminServer) -> None:
    """The report by a field; a CSV, in which nobody would see it, is refused."""
    admin_server.spend(days=1, models=MAX_ROWS + 1)
    report = admin.usage()
    assert (len(report.data), report.has_more) == (MAX_ROWS, True)
    with pytest.raises(errors.UnprocessableEntityError, match="more than 10,000 rows"):
        admin.usage_csv()


def test_a_breaker_is_held_until_it_is_automatic(admin: Any) -> None:
    """What each router sees comes with it; an unknown version is refused with the nearest."""
    before = admin.breakers()
    assert [(card.name, card.version, card.state, card.replica) for card in before.data] == [
        ("chat", "v1", "half_open", "r1"),
        ("chat", "v2", "closed", "r1"),
    ]
    assert (before.held, before.replicas, before.answered) == ((), 2, 1)
    held = admin.hold_breaker("chat", "v2", "open")
    assert (held.name, held.version, held.state) == ("chat", "v2", "open")
    then = admin.breakers()
    assert (then.held, then.data[1].state, then.data[1].forced) == ((held,), "open", True)
    assert admin.hold_breaker("chat", "v2", "automatic").state == "automatic"
    assert admin.breakers().held == ()
    with pytest.raises(errors.NotFoundError, match="did you mean 'chat'"):
        admin.hold_breaker("chatt", "v2", "open")


def test_the_audit_tells_what_was_done(admin: Any, admin_server: AdminServer) -> None:
    """The newest first, as many as asked for, and on from an entry."""
    made = admin.create_key("ci", scopes=["chat"])
    admin.revoke_key(made.id)
    page = admin.audit(limit=1)
    assert [(entry.action, entry.object) for entry in page.data] == [("keys.revoke", made.id)]
    assert page.data[0].actor == f"key:{admin_server.key_id}"
    assert page.has_more
    assert [entry.action for entry in admin.audit(before=page.data[0].id).data] == ["keys.create"]


def test_a_grant_is_given_listed_and_taken_away(admin: Any) -> None:
    """As it was asked for; a key's and a tenant's are told apart."""
    patterns = {"path": r"/data/[^/]+"}
    made = admin.create_grant("tenant", "acme", "files.*", arguments=patterns, calls_per_minute=5, needs_approval=True)
    wanted = Grant(
        kind="tenant", subject="acme", tool="files.*", arguments=patterns, calls_per_minute=5, needs_approval=True
    )
    assert made.grant == wanted
    other = admin.create_grant("key", "key_1", "clock")
    assert {card.id for card in list(admin.grants())} == {made.id, other.id}
    assert [card.id for card in list(admin.grants(kind="key"))] == [other.id]
    assert [card.id for card in list(admin.grants(subject="acme"))] == [made.id]
    assert admin.delete_grant(made.id) == made
    with pytest.raises(errors.NotFoundError):
        admin.delete_grant(made.id)
    with pytest.raises(errors.UnprocessableEntityError, match="RE2"):
        admin.create_grant("tenant", "acme", "clock", arguments={"zone": "("})


def test_a_tool_is_registered_and_removed(admin: Any) -> None:
    """In the form of the cluster's file; another in its place is the same call."""
    admin.register_tool("clock", {"embedded": "calculate"})
    made = admin.register_tool("clock", {"python": "mytools:now", "timeout_s": 5})
    assert (made.name, made.entry["python"], made.entry["timeout_s"]) == ("clock", "mytools:now", 5)
    assert list(admin.tools()) == [made]
    assert admin.delete_tool("clock") == made
    with pytest.raises(errors.NotFoundError):
        admin.delete_tool("clock")
    with pytest.raises(errors.UnprocessableEntityError) as caught:
        admin.register_tool("clock", {"embedded": "none"})
    assert caught.value.param == "embedded"


def test_calls_of_tools_are_told(admin: Any, admin_server: AdminServer) -> None:
    """Newest first, of all or of a tenant."""
    admin_server.call_tools("clock", "calculate")
    page = admin.tool_calls(limit=1)
    assert ([call.tool for call in page.data], page.has_more) == (["calculate"], True)
    assert [call.tool for call in admin.tool_calls(before=page.data[0].id).data] == ["clock"]
    assert admin.tool_calls("nobody").data == ()


@pytest.mark.parametrize(
    ("call", "param"),
    [
        (lambda admin: admin.create_key("ci", scopes=["root"]), "scopes[0]"),
        (lambda admin: admin.create_key("ci", scopes=[]), "scopes"),
        (lambda admin: admin.create_key("ci", scopes="chat", expires=datetime(2027, 1, 1)), "expires"),  # noqa: DTZ001
        (lambda admin: admin.create_user("a:b", PASSWORD, scopes="chat"), "name"),
        (lambda admin: admin.set_quota("galaxy", "acme"), "kind"),
        (lambda admin: admin.set_quota("tenant", "acme", request_per_day=1), "request_per_day"),
        (lambda admin: admin.usage(by=["price"]), "by[0]"),
        (lambda admin: admin.revoke_key("key?x=1#y"), "key_id"),
        (lambda admin: admin.delete_user("100%\ud800"), "name"),
        (lambda admin: admin.create_grant("galaxy", "acme", "clock"), "kind"),
        (lambda admin: admin.create_grant("key", "key_1", "a b"), "tool"),
        (lambda admin: admin.delete_grant("grant?x=1#y"), "grant_id"),
        (lambda admin: admin.register_tool("a.b", {}), "name"),
    ],
)
def test_a_wrong_argument_is_named_by_the_server(admin: Any, call: Callable[[Any], object], param: str) -> None:
    """The field is the one that the caller knows, and a name reaches the server as it was given."""
    with pytest.raises(errors.BadRequestError) as caught:
        call(admin)
    assert caught.value.param == param


def test_a_name_never_becomes_another_path(connect: Connect) -> None:
    """Whatever stands in it: a slash or a question mark ends no segment, and a prefix before /v1 is kept."""
    seen = []

    def network(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path.decode())
        return httpx.Response(404, json={"error": {"message": "no"}})

    admin = connect(network, base_url="http://gateway/glm/v1").admin
    for call in (
        lambda: admin.delete_user("a/b?c#d"),
        lambda: admin.set_quota("key", "../users/ada", budget=1),
        lambda: admin.hold_breaker("a/b", "../v1", "open"),
    ):
        with pytest.raises(errors.NotFoundError):
            call()
    assert seen == [
        "/glm/admin/v1/users/a%2Fb%3Fc%23d",
        "/glm/admin/v1/quotas/key/..%2Fusers%2Fada",
        "/glm/admin/v1/breakers/a%2Fb/..%2Fv1",
    ]


def failing(*outcomes: Any) -> tuple[Callable[[httpx.Request], httpx.Response], list[httpx.Request]]:
    """A network that breaks or answers in the given order, and what it was asked."""
    asked: list[httpx.Request] = []

    def network(request: httpx.Request) -> httpx.Response:
        outcome = outcomes[len(asked)]
        asked.append(request)
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(
            outcome, json={**KEY, "secret": "ag_x", "kind": "key", "subject": "k", "data": [], **HOLD, **GRANT}
        )

    return network, asked


BROKEN = [httpx.ReadError(""), httpx.RemoteProtocolError(""), httpx.ReadTimeout(""), httpx.WriteError("")]
NOT_BEGUN = [httpx.ConnectError(""), httpx.ConnectTimeout(""), httpx.PoolTimeout(""), 429]
MAKING = {
    "create_key": lambda admin: admin.create_key("ci", scopes="chat"),
    "create_user": lambda admin: admin.create_user("ada", PASSWORD, scopes="chat"),
    "delete_user": lambda admin: admin.delete_user("ada"),
    "create_grant": lambda admin: admin.create_grant("key", "k", "clock"),
    "delete_grant": lambda admin: admin.delete_grant("grant_" + "0" * 20),
    "delete_tool": lambda admin: admin.delete_tool("clock"),
}
REPEATABLE = {
    "revoke_key": lambda admin: admin.revoke_key(KEY["id"]),
    "set_quota": lambda admin: admin.set_quota("key", "k"),
    "hold_breaker": lambda admin: admin.hold_breaker("chat", "v1", "open"),
    "breakers": lambda admin: admin.breakers(),
    "register_tool": lambda admin: admin.register_tool("clock", {"embedded": "current_time"}),
    "grants": lambda admin: list(admin.grants()),
    "tool_calls": lambda admin: admin.tool_calls(),
    "keys": lambda admin: list(admin.keys()),
    "usage": lambda admin: admin.usage(),
}


@pytest.mark.parametrize("call", MAKING.values(), ids=MAKING)
@pytest.mark.parametrize("fault", [*BROKEN, 500, 502, 503, 504], ids=repr)
def test_what_may_have_been_made_is_not_made_again(connect: Connect, call: Callable[[Any], Any], fault: Any) -> None:
    """A second key that nobody knows of would be worse than an error."""
    network, asked = failing(fault, 201)
    with pytest.raises(errors.AutoGLMError):
        call(connect(network).admin)
    assert len(asked) == 1


@pytest.mark.parametrize("call", MAKING.values(), ids=MAKING)
@pytest.mark.parametrize("fault", NOT_BEGUN, ids=repr)
def test_what_was_surely_not_begun_is_tried_again(connect: Connect, call: Callable[[Any], Any], fault: Any) -> None:
    """A server that restarts refuses connections for a moment."""
    network, asked = failing(fault, 201)
    call(connect(network).admin)
    assert len(asked) == 2


@pytest.mark.parametrize("call", REPEATABLE.values(), ids=REPEATABLE)
@pytest.mark.parametrize("fault", [*BROKEN, *NOT_BEGUN, 500, 503], ids=repr)
def test_what_changes_nothing_a_second_time_is_tried_again(
    connect: Connect, call: Callable[[Any], Any], fault: Any
) -> None:
    """Reading, revoking and setting may be repeated after any break."""
    network, asked = failing(fault, fault, 200)
    call(connect(network, retry=RetryPolicy(max_attempts=3)).admin)
    assert len(asked) == 3
    assert len({request.url for request in asked}) == 1


def test_days_go_as_dates(connect: Connect) -> None:
    """The wire's form of a day, and of several dimensions."""
    network, asked = failing(200)
    connect(network).admin.usage(by=["key", "day"], since=date(2026, 1, 31))
    assert asked[0].url.query == b"by=key&by=day&since=2026-01-31&limit=10000"
