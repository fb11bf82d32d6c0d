"""`task: auto`: which type is told from which data and model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autoglm.errors import ConfigError
from autoglm.models.embedded import PACKAGES, SHIPPED_HEADS
from autoglm.tasks import AutoTask
from autoglm.tasks.task_type import EMBEDDED

TEXTS = "text,label\na film,up\na bore,down\n"
NUMBERS = "a,label\n" + "".join(f"{i},{i}.5\n" for i in range(9))


@pytest.mark.parametrize(
    ("content", "declared", "task", "reason"),
    [
        (TEXTS, {"model": "embedded/minilm-l6"}, "text-classification", "text column 'text' with labels to learn"),
        ("a,label\n1,x\n2,y\n", {}, "tabular-classification", "label column 'label' holds names"),
        ("a,label\n1,0\n2,1\n", {}, "tabular-classification", "holds 2 different whole numbers"),
        (NUMBERS, {}, "tabular-regression", "holds 9 different numbers"),
        ("image,label\na.png,x\n", {"model": "embedded/efficientnet-lite0"}, "image-classification", "image column"),
    ],
)
def test_the_data_tell(tmp_path: Path, content: str, declared: dict[str, Any], task: str, reason: str) -> None:
    """By their columns, then by what the labels are; the reason names the column."""
    (tmp_path / "t.csv").write_text(content)
    made = AutoTask.from_config({"task": "auto", "data": {"train": str(tmp_path / "t.csv")}, **declared})
    assert made.config.task == task
    assert reason in made.reason


@pytest.mark.parametrize(
    ("declared", "task"),
    [
        ({"model": "embedded/minilm-l6"}, "embedding"),
        ({"model": "embedded/minilm-l6-sst2"}, "text-classification"),
        ({"model": "embedded/smollm2-135m-instruct"}, "text-generation"),
        ({"model": "embedded/smollm2-135m-instruct", "labels": ["a", "b"]}, "zero-shot-classification"),
        ({"model": "embedded/efficientnet-lite0"}, "image-classification"),
    ],
)
def test_the_model_tells_where_there_are_no_data(declared: dict[str, Any], task: str, home: Path) -> None:
    """Without its being unpacked; a model that generates classifies where labels are declared."""
    made = AutoTask.from_config({"task": "auto", **declared})
    assert made.config.task == task
    assert str(declared["model"]) in made.reason
    assert not home.exists()


def test_every_embedded_model_has_a_type() -> None:
    """A model that is added without one would be refused with a KeyError."""
    assert set(EMBEDDED) == {*PACKAGES, *SHIPPED_HEADS}


@pytest.mark.parametrize(
    ("architecture", "task"),
    [("BertForSequenceClassification", "text-classification"), ("BertModel", "embedding")],
)
def test_a_checkpoint_tells_by_its_class(tmp_path: Path, architecture: str, task: str) -> None:
    """config.json is enough."""
    (tmp_path / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    made = AutoTask.from_config({"task": "auto", "model": str(tmp_path)})
    assert made.config.task == task
    assert architecture in made.reason


def test_texts_to_measure_on_leave_the_type_to_the_model(tmp_path: Path) -> None:
    """Without rows to learn from, a generating model with labels stays a zero-shot one."""
    (tmp_path / "t.csv").write_text(TEXTS)
    declared = {"model": "embedded/smollm2-135m-instruct", "labels": ["up", "down"]}
    made = AutoTask.from_config({"task": "auto", "data": {"test": str(tmp_path / "t.csv")}, **declared})
    assert made.config.task == "zero-shot-classification"


def test_nothing_to_tell_from_is_said(tmp_path: Path) -> None:
    """With what to declare."""
    with pytest.raises(ConfigError, match="without data and model; declare one"):
        AutoTask.from_config({"task": "auto"})
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["BertForTokenClassification"]}))
    with pytest.raises(ConfigError, match="BertForTokenClassification, which tells no type"):
        AutoTask.from_config({"task": "auto", "model": str(tmp_path)})


def test_a_declared_type_is_its_own_reason() -> None:
    """Nothing is looked at."""
    assert AutoTask.from_config({"task": "embedding"}).reason == "the declaration says embedding"
