"""Keys, quotas and the control plane on the running cluster, whose two router replicas share the load."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from autoglm import AutoClient
from autoglm.contract import KeyCreated
from tests.e2e.running_cluster import Cluster

IRIS = {"task": "iris", "inputs": [[5.1, 3.5, 1.4, 0.2]]}
SETTLED_S = 30
RETURNED_S = 4  # what another replica has leased and does not need is given back sooner
ALLOWED = 60
IN_A_ROW = 30  # answers from two replicas, of which none is another than the others


@pytest.fixture
def key(client: AutoClient) -> Iterator[KeyCreated]:
    """A key of its own, known to every router replica."""
    key = client.admin.create_key("e2e", scopes=["predict"], tenant="e2e")
    yield key
    client.admin.revoke_key(key.id)


@pytest.fixture
def caller(cluster: Cluster, key: KeyCreated) -> Iterator[httpx.Client]:
    """Who has the key."""
    with bearer(cluster, key.secret) as caller:
        await_status(caller, {200})
        yield caller


def bearer(cluster: Cluster, secret: str) -> httpx.Client:
    """From an address of its own: after its refusals, guesses from there are answered 429 for a minute."""
    transport = httpx.HTTPTransport(local_address="127.0.0.9")
    headers = {"authorization": f"Bearer {secret}"}
    return httpx.Client(base_url=cluster.url, headers=headers, timeout=60, transport=transport)


def predict(caller: httpx.Client) -> int:
    """The status of one call, on a connection of its own, so that the proxy chooses a replica anew."""
    return caller.post("/v1/predict", json=IRIS, headers={"connection": "close"}).status_code


def await_status(caller: httpx.Client, statuses: set[int]) -> int:
    """Return when every replica answers so; how many answers of these statuses there were in all."""
    end, row, answers = time.monotonic() + SETTLED_S, 0, 0
    while row < IN_A_ROW:
        is_so = predict(caller) in statuses
        row, answers = (row + 1 if is_so else 0), answers + is_so
        assert time.monotonic() < end, f"not on every replica within {SETTLED_S} s"
    return answers


def test_a_key_works_on_every_replica_until_it_is_revoked(
    cluster: Cluster, client: AutoClient, caller: httpx.Client, key: KeyCreated
) -> None:
    """Both router replicas are told, without a restart. After some refusals the address has failed too often."""
    routers = {process.pid for process in cluster.processes("ServeReplica:autoglm:router")}
    client.admin.revoke_key(key.id)
    await_status(caller, {401, 429})
    assert {process.pid for process in cluster.processes("ServeReplica:autoglm:router")} == routers


def test_a_key_may_do_what_its_scopes_say(caller: httpx.Client) -> None:
    """And does not administrate."""
    chat = {"model": "chat", "messages": [{"role": "user", "content": "hi"}]}
    assert caller.post("/v1/chat/completions", json=chat).status_code == 403
    assert caller.get("/admin/v1/keys").status_code == 403


def test_all_replicas_together_admit_exactly_the_quota(cluster: Cluster, client: AutoClient) -> None:
    """Many more calls than the tenant's day allows, from eight at once: it is used up to the last one and not beyond.

    The limit is set before the key is made, so no replica knows the key without it.
    """
    client.admin.create_key("tenant", scopes=["predict"], tenant="e2e-limited")
    client.admin.set_quota("tenant", "e2e-limited", requests_per_day=ALLOWED)
    key = client.admin.create_key("e2e", scopes=["predict"], tenant="e2e-limited")
    answers: Counter[int] = Counter()
    with bearer(cluster, key.secret) as caller, ThreadPoolExecutor(8) as pool:
        admitted_at = time.monotonic() + SETTLED_S  # the key is not known at once
        while time.monotonic() < admitted_at + RETURNED_S:
            statuses = Counter(pool.map(lambda _: predict(caller), range(16)))
            if statuses[200]:
                admitted_at = time.monotonic()
            answers += statuses
        assert answers[200] == ALLOWED
        refused = caller.post("/v1/predict", json=IRIS)
    assert (refused.status_code, refused.json()["error"]["param"]) == (429, "requests_per_day")
    now = datetime.now(UTC)
    left = 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
    assert abs(int(refused.headers["retry-after"]) - left) <= 5


def test_usage_is_told_by_key_model_and_day(cluster: Cluster, client: AutoClient, key: KeyCreated) -> None:
    """Of every replica, a second or so after the calls; those that were refused are not counted."""
    with bearer(cluster, key.secret) as caller:
        answered = await_status(caller, {200})
    end = time.monotonic() + SETTLED_S
    while requests_of(client, key.id) < answered:
        assert time.monotonic() < end, f"not all of {answered} calls were counted within {SETTLED_S} s"
    assert requests_of(client, key.id) == answered


def requests_of(client: AutoClient, key_id: str) -> int:
    return sum(row.requests for row in client.admin.usage().data if row.key == key_id and row.model == "iris")


def test_models_answer_while_the_control_plane_is_dead(cluster: Cluster, caller: httpx.Client) -> None:
    """Keys are known to the routers; the control plane comes back by itself."""
    [control] = cluster.processes("ServeReplica:control:control")
    control.kill()
    end = time.monotonic() + 120
    administrates = False
    while not administrates:
        assert predict(caller) == 200
        administrates = cluster.processes("ServeReplica:control:control") != [] and cluster.is_administrated()
        assert time.monotonic() < end, "the control plane did not come back"


def test_no_log_holds_a_secret(cluster: Cluster, client: AutoClient, key: KeyCreated, caller: httpx.Client) -> None:
    """Not the local key, not a made one, not a password, right or wrong, wherever it was put."""
    password = "correct-horse-battery-staple"
    client.admin.create_user("e2e-ann", password, scopes=["predict"])
    client.admin.delete_user("e2e-ann")
    wrong = "ag_wrongwrong-and-not-to-be-logged"
    for headers in ({"authorization": f"Bearer {wrong}"}, {"authorization": wrong}):
        caller.get(f"/v1/models/{wrong[:8]}", headers=headers)
    caller.get("/v1/models", auth=("e2e-ann", password))
    secrets = [key.secret, cluster.key, wrong, password]
    found = [
        (path, secret[:6]) for path in cluster.logs() for secret in secrets if secret.encode() in path.read_bytes()
    ]
    assert found == []
