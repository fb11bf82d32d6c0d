"""Full fine-tuning: it learns, it is the same each time, and it goes on where it was broken off."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from autoglm.contract import TaskConfig
from autoglm.errors import ConfigError
from autoglm.models import load, prepare
from autoglm.models.finetuning import warmed_up

BertMaker = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("empty_home")


class Broken(Exception):
    """Whatever ends a process half-way."""


@pytest.fixture
def config(make_bert: BertMaker, tmp_path: Path) -> TaskConfig:
    table = tmp_path / "rows.csv"
    table.write_text("text,label\n" + "a good film,up\na bad film,down\ngreat,up\ndull poor,down\n" * 6)
    return TaskConfig.model_validate(
        {
            "task": "text-classification",
            "model": str(make_bert("BertModel")),
            "data": {"train": str(table)},
            "fit": {"method": "full", "epochs": 4, "learning_rate": 5e-3, "batch_size": 8, "seed": 3},
        }
    )


def weights(folder: Path | None) -> dict[str, torch.Tensor]:
    assert folder is not None
    return load_file(folder / "model.safetensors")


def differences(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> list[str]:
    return [name for name in one if not torch.equal(one[name], other[name])]


def clear(home: Path) -> None:
    for path in (home / "heads").iterdir():
        path.rename(home / f"old-{path.name}")


def test_it_learns_and_tells_its_steps(config: TaskConfig) -> None:
    """Labels are right afterwards, weights below the head have moved, and each epoch's loss was told."""
    told: list[str] = []
    longer = config.model_copy(update={"fit": config.fit.model_copy(update={"epochs": 20})})
    folder = prepare(longer, progress=told.append)
    adapter = load(longer)
    rows = [adapter.parse(text, 0) for text in ("a good film", "dull poor")]
    assert [answer.label for answer in adapter.predict(rows)] == ["up", "down"]
    assert any(line.startswith("epoch 20 of 20, step 3 of 3: loss 0.") for line in told)
    before = load_file(Path(str(config.model)) / "model.safetensors")
    moved = weights(folder)
    name = "encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(before[name], moved[f"bert.{name}"])


def test_the_same_seed_gives_the_same_weights_and_another_others(config: TaskConfig, empty_home: Path) -> None:
    """The caller's own chance plays no part, and is left as it was."""
    torch.manual_seed(1)
    first = weights(prepare(config))
    drawn = torch.rand(1)
    clear(empty_home)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), drawn)
    assert differences(first, weights(prepare(config))) == []
    other = config.model_copy(update={"fit": config.fit.model_copy(update={"seed": 4})})
    assert differences(first, weights(prepare(other)))


def test_a_fit_that_was_broken_off_goes_on_to_the_same_weights(config: TaskConfig, empty_home: Path) -> None:
    """Two epochs before the break and two after it make what four in one go make; then nothing is left behind."""
    whole = weights(prepare(config))
    clear(empty_home)

    def breaking(step: str) -> None:
        if step.startswith("epoch 3 of 4, step 1 "):
            raise Broken

    with pytest.raises(Broken):
        prepare(config, progress=breaking)
    (checkpoints,) = (empty_home / "fits").iterdir()
    assert [path.name for path in checkpoints.iterdir()] == ["2"]
    assert all(path.suffix == ".safetensors" for path in (checkpoints / "2").iterdir())

    told: list[str] = []
    assert differences(whole, weights(prepare(config, progress=told.append))) == []
    assert told[0] == "going on after epoch 2 of 4"
    assert not checkpoints.exists()


def test_the_learning_rate_rises_then_falls() -> None:
    """Over the first tenth up to the whole of it, and down towards nought at the end."""
    rates = [warmed_up(step, 100) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert rates[10] == 1
    assert all(earlier > later for earlier, later in pairwise(rates[10:]))
    assert 0 < rates[-1] < 0.02


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ["up", "sideways"]}, "labels: got"),
        ({"task": "tabular-classification", "model": None}, r"fit\.method: got 'full'; a table has no model"),
    ],
)
def test_what_cannot_be_tuned_is_refused(config: TaskConfig, changes: dict[str, Any], message: str) -> None:
    """Before any step is made."""
    with pytest.raises(ConfigError, match=message):
        prepare(config.model_copy(update=changes))
