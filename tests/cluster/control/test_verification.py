"""Before a task is registered: it is what was saved, and this cluster can serve it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from autoglm.contract import TaskConfig
from autoglm.errors import UnprocessableEntityError
from autoglm.tasks.saved import write_saved
from cluster.control.verification import MAX_LABELS, verified
from tests.cluster.control.saved_task import resealed, saved

TEXT: dict[str, Any] = {"task": "text-classification", "model": "embedded/minilm-l6"}


def test_the_labels_are_read_from_the_head_and_the_data_left_behind(tmp_path: Path) -> None:
    """A server has no such file, and need not: what was fitted is there."""
    content = verified(saved(tmp_path / "task", name="flowers"))
    assert content.declaration == TaskConfig(task="tabular-classification", labels=["a", "b", "c"])


def test_what_only_this_machine_may_do_is_not_taken_over(tmp_path: Path) -> None:
    """A cluster fetches no URL, whatever a declaration says; how it batches it is told."""
    declared = saved(tmp_path / "task", allow_urls=True, batching={"max_batch_size": 7})
    declaration = verified(declared).declaration
    assert declaration.allow_urls is False
    assert declaration.batching.max_batch_size == 7


def test_the_labels_of_a_fine_tuned_model_are_its_own(tmp_path: Path) -> None:
    """In the order of its scores; its folder needs no other model, wherever that was."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps({"id2label": {"1": "good", "0": "bad"}}))
    config = TaskConfig.model_validate({**TEXT, "model": "/home/ann/encoder", "fit": {"method": "full"}})
    content = verified(write_saved(tmp_path / "task", config, model))
    assert content.declaration.labels == ["bad", "good"]


@pytest.mark.parametrize(
    ("declared", "labels"),
    [
        ({**TEXT, "model": "embedded/minilm-l6-sst2"}, ["negative", "positive"]),
        ({**TEXT, "model": "someone/sentiment", "labels": ["no", "yes"]}, ["no", "yes"]),
        ({**TEXT, "model": "someone/sentiment"}, None),
        ({"task": "image-classification", "model": "embedded/efficientnet-lite0"}, None),
    ],
)
def test_a_task_that_needs_no_fit_is_taken(tmp_path: Path, declared: Any, labels: list[str] | None) -> None:
    """With the labels that are known without the model."""
    config = TaskConfig.model_validate(declared)
    assert verified(write_saved(tmp_path / "task", config, None)).declaration.labels == labels


def test_the_same_task_has_the_same_sha256_and_another_has_another(tmp_path: Path) -> None:
    """However it was packed; a weight is enough to differ."""
    digests = [verified(saved(tmp_path / f"task{i}", seed)).sha256 for i, seed in enumerate((0, 0, 1))]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("name", ["head.safetensors", "task.json", "model/config.json"])
def test_a_changed_or_added_file_is_refused(tmp_path: Path, name: str) -> None:
    """The manifest's checksums are verified before anything else is looked at; no path of the server is told."""
    folder = saved(tmp_path / "task")
    (folder / name).parent.mkdir(exist_ok=True)
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(UnprocessableEntityError, match=f"{name} is not as it was saved") as caught:
        verified(folder)
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"task": "text-generation", "model": "embedded/smollm2-135m-instruct"}, "declare it under `models`"),
        ({"task": "embedding", "model": "embedded/minilm-l6"}, "declare it under `models`"),
        ({"task": "auto", "model": "embedded/minilm-l6"}, "auto is not deployed"),
        ({"task": "tabular-regression"}, "holds nothing fitted"),
        ({**TEXT, "data": {"train": "/etc/passwd"}}, "holds nothing fitted"),
        ({**TEXT, "model": "/home/ann/encoder"}, "'/home/ann/encoder'; embedded/NAME, an existing folder or a hub id"),
        ({**TEXT, "model": "../encoder"}, r"'\.\./encoder'; embedded/NAME"),
        ({**TEXT, "model": "embedded/minilm-l7"}, "did you mean 'minilm-l6'"),
        ({**TEXT, "model": "~nobody-here/x"}, "cannot be read"),
        ({**TEXT, "model": "a\x00b"}, "archive: "),
        ({**TEXT, "model": "m" * 201}, "model: got 201 characters"),
        ({**TEXT, "model": "m" * 100_000}, "model: got 100,000 characters"),
        ({**TEXT, "model": "embedded/minilm-l6-sst2", "labels": ["a", "b"]}, "labels: got"),
        ({**TEXT, "model": "a/b", "labels": ["x" * MAX_LABELS, "y"]}, "labels: they have more than"),
    ],
)
def test_a_task_that_cannot_be_served_is_refused(tmp_path: Path, declared: Any, message: str) -> None:
    """With what would do."""
    with pytest.raises(UnprocessableEntityError, match=message):
        verified(write_saved(tmp_path / "task", TaskConfig.model_validate(declared), None))


@pytest.mark.parametrize(
    "content",
    [
        {"task.json": b"[" * 100_000},
        {"task.json": b'{"task": ' + b"9" * 5_000 + b"}"},
        {"task.json": b'{"task": "tabular-classification", "labels": ["\\ud800"]}'},
        {"task.json": b"\xff"},
        {"task.json": b"[]"},
        {"task.json": b'{"task": "tabular-classification", "exec": "x"}'},
        {"task.json": b'{"task": "tabular-classification", "batching": {"batch_wait_timeout_s": NaN}}'},
        {"head.safetensors": b""},
        {"head.safetensors": b"\xff" * 100},
        {"head.safetensors": b"\x80\x04cos\nsystem\n"},
        {"head.safetensors": save({"weight": np.zeros(1)})},
        *(
            {"head.safetensors": save({"weight": np.zeros(1)}, metadata={"head": metadata})}
            for metadata in (
                "{",
                "[]",
                "[" * 100_000,
                '{"labels": 3}',
                '{"labels": [1, 2]}',
                '{"labels": ["a"], "x": 1',
            )
        ),
        {"model/config.json": b"{}", "task.json": b'{"task": "text-classification", "model": "a/b"}'},
    ],
)
def test_a_forged_content_is_refused_without_a_fault(tmp_path: Path, content: dict[str, bytes]) -> None:
    """The checksums fit, and still nothing that is read can raise anything but the documented error."""
    folder = resealed(saved(tmp_path / "task"), content)
    if "model/config.json" in content:
        (folder / "head.safetensors").unlink()
        resealed(folder, {})
    with pytest.raises(UnprocessableEntityError):
        verified(folder)


@pytest.mark.parametrize("manifest", [b"", b"[" * 100_000, b'{"version": 1}', b'{"version": 1, "files": []}', b"\xff"])
def test_a_forged_manifest_is_refused_without_a_fault(tmp_path: Path, manifest: bytes) -> None:
    """And so is none at all."""
    folder = saved(tmp_path / "task")
    (folder / "manifest.json").write_bytes(manifest)
    with pytest.raises(UnprocessableEntityError):
        verified(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(UnprocessableEntityError, match=r"no manifest\.json"):
        verified(folder)
