"""The page on tasks: its snippets, as they are printed, on the embedded models. Those that deploy are in tests/e2e."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import yaml

from autoglm.contract import DataConfig, DeclaredTask
from autoglm.home import home
from autoglm.models import embedded
from autoglm.tasks.declaration import parse_task
from autoglm.tasks.metrics import ALL_METRICS
from serve_app.config import load
from tests.snippets import ROOT, expect, run, snippets

PAGE = "docs/tasks.md"
DEPLOYING = snippets(PAGE, "python", "bash", heading="Deploy")
SNIPPETS = [found for found in snippets(PAGE, "python", "bash") if found not in DEPLOYING]
EXPECTED = [
    ["fitting a head on 6 texts", "good", "1.0"],
    [
        "text-classification label='positive'",
        "zero-shot-classification label='order'",
        "Paris",
        "image-classification label=",
        "label='setosa'",
        "tabular-regression label='15",
        "(2, 384) 0.",
        "no text column, and the label column 'label' holds names",
    ],
    ["['positive', 'negative']", "('negative', 'positive')", "1.0"],
    ["epoch 2 of 2, step 1 of 1: loss", "label='"],
    ["accuracy=", "rows=178"],
    ["/reviews-task", "good", "accuracy"],
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reader's home and working directory: the models of this machine's home, no head that was fitted before."""
    for name in ("minilm-l6", "efficientnet-lite0", "smollm2-135m-instruct"):
        embedded.prepare(name)
    (tmp_path / ".autoglm").mkdir()
    (tmp_path / ".autoglm" / "models").symlink_to(home() / "models")
    (tmp_path / "reviews.yaml").write_text(snippets(PAGE, "yaml")[0].text)
    return tmp_path


@pytest.mark.timeout(600)
def test_every_snippet_gives_what_the_page_says(folder: Path) -> None:
    """One after the other, as a reader would; each is expected."""
    assert len(SNIPPETS) == len(EXPECTED)
    for snippet, words in zip(SNIPPETS, EXPECTED, strict=True):
        expect(words, run(snippet, folder))
    assert (folder / "wine.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "reviews.png").exists()
    assert len((folder / "answers.jsonl").read_text().splitlines()) == 2


def test_the_cluster_takes_the_same_declaration(tmp_path: Path) -> None:
    """The entry of its file is the task file's, with what is the deployment's beside it."""
    alone, entry = (found.text for found in snippets(PAGE, "yaml"))
    (tmp_path / "cluster.yaml").write_text(entry)
    [task] = load(tmp_path / "cluster.yaml").tasks
    assert task.declaration().data == parse_task(yaml.safe_load(alone)).data
    assert (task.name, task.resources.cpus) == ("reviews", 1)


@pytest.mark.parametrize("name", [*get_args(DeclaredTask), *DataConfig.model_fields, *ALL_METRICS])
def test_every_type_key_and_metric_is_on_the_page(name: str) -> None:
    """A new one is documented."""
    assert f"`{name}`" in (ROOT / PAGE).read_text()
