"""How schemathesis is run here: how much of it, from which seed, with which credential, names and archives."""

from __future__ import annotations

import io
import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import EngineEvent, FatalError, NonFatalError, ScenarioFinished
from schemathesis.schemas import BaseSchema
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EXAMPLES = 25  # of each operation, beside those that walk along every bound of its schema
# What fits the schema may be refused for its content (422), such as a text that is too long.
ACCEPTED = ["2xx", "401", "403", "404", "409", "422", "429"]
ANY_HEADER = "in header - object with unexpected properties"  # which HTTP lets everybody send
ARCHIVED = ["manifest.json", "task.json", "head.safetensors", "model/config.json", "../up", "/root", "a\\b", "é.txt"]


def config(key: str, *, examples: int = EXAMPLES, accepted: Sequence[str] = ACCEPTED) -> SchemathesisConfig:
    """Bounded and repeatable, unless FUZZ_TIMES asks for so many times more: then every run takes another seed.

    What fits the schema is answered with one of the statuses `accepted`.
    """
    times = os.environ.get("FUZZ_TIMES")
    return SchemathesisConfig.from_dict(
        {
            **({} if times else {"seed": 0}),
            "generation": {
                "max-examples": examples * int(times or 1),
                "deterministic": times is None,
                "database": "none",
            },
            "phases": {"coverage": {"generate-duplicate-query-parameters": True}},
            "auth": {"openapi": {"bearer": {"bearer": key}}},
            "checks": {"positive_data_acceptance": {"expected-statuses": list(accepted)}},
            # Literals of the code as inputs would make this a test of every line of it.
            "analysis": {"constants": {"enabled": False}},
            "output": {"sanitization": {"enabled": False}},  # it takes `max_tokens` for a secret
        }
    )


def served(app: ASGIApp) -> ASGIApp:
    """The application as behind a server, which logs what comes after a response has begun: a 500 is an answer here."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        is_begun = False

        async def noted(message: Message) -> None:
            nonlocal is_begun
            is_begun = is_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await app(scope, receive, noted)
        except Exception:
            if not is_begun:
                raise

    return call


def send_archives() -> None:
    """Zip archives, and bytes that are none, where a body is one."""
    schemathesis.serializer("application/zip")(lambda context, content: content)
    files = st.dictionaries(st.sampled_from(ARCHIVED), st.binary())
    archives = files.map(zipped) | st.binary()
    schemathesis.openapi.media_type("application/zip", archives)


def zipped(files: dict[str, bytes]) -> bytes:
    """An archive of these files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return archive.getvalue()


def lead_past_not_found(schema: BaseSchema, names: dict[str, dict[str, str]]) -> None:
    """Put names that are there where most would find a 404 and no more: {path: {field or path parameter: name}}.

    A name in a path may be what is wrong with a request that is to be refused, so it is left alone there.
    """

    @schema.hook
    def map_case(context: HookContext, case: Case) -> Case:
        known = names.get(case.path, {})
        if isinstance(case.body, dict):
            put(known, case.body)
        if case.meta is not None and case.meta.generation.mode.is_positive:
            put(known, case.path_parameters)
        return case


def put(known: dict[str, str], fields: dict[str, Any]) -> None:
    """The known names in place of plain words; the others find their 404, and what is no name stays wrong."""
    for field, name in known.items():
        if isinstance(fields.get(field), str) and fields[field].replace("_", "").isalnum():
            fields[field] = name


class Fuzzing:
    """One run over all operations of a schema, and over chains of them where one makes what another needs.

    `statuses` counts the answers by operation, `faults` tells what went wrong and how to see it again.
    """

    def __init__(self, schema: BaseSchema) -> None:
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.faults: list[str] = []
        for event in from_schema(schema).execute():
            self.faults += faults_of(event)
            self.statuses.update(statuses_of(event))

    def answered(self, *statuses: int) -> set[str]:
        """The operations that gave one of these answers."""
        return {operation for operation, status in self.statuses if status in statuses}


def statuses_of(event: EngineEvent) -> Iterator[tuple[str, int]]:
    """Operation and status of each answer."""
    if not isinstance(event, ScenarioFinished):
        return
    for case_id, interaction in event.recorder.interactions.items():
        if interaction.response is not None:
            yield event.recorder.cases[case_id].value.operation.label, interaction.response.status_code


def faults_of(event: EngineEvent) -> Iterator[str]:
    """What went wrong, with the command that shows it again."""
    if isinstance(event, FatalError):
        raise event.exception
    if isinstance(event, NonFatalError):
        yield f"{event.label}: {event.info.format()}"
    if isinstance(event, ScenarioFinished):
        for check in (check for checks in event.recorder.checks.values() for check in checks):
            if (info := check.failure_info) is not None and ANY_HEADER not in info.failure.message:
                yield f"{event.recorder.label}: {check.name}: {info.failure.message}\n{info.code_sample}"
