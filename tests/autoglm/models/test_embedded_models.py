"""The embedded models on real input."""

from __future__ import annotations

from pathlib import Path

import pytest
import skimage.data

from autoglm.contract import TaskConfig
from autoglm.errors import UnprocessableEntityError
from autoglm.models import load
from autoglm.models.embedded import shipped_head
from autoglm.models.head import Head

DATA = Path(__file__).parents[3].parent / "shared" / "data"

pytestmark = [pytest.mark.usefixtures("prepared"), pytest.mark.timeout(300)]


@pytest.mark.skipif(not DATA.is_dir(), reason="the evaluation data lie beside the checkout where there are any")
def test_sentiment_is_right_on_four_of_five_sentences() -> None:
    """SST-2's dev set, every sentence: at least 80 % (84.5 % when the head was made)."""
    rows = [line.split("\t") for line in (DATA / "sst2_dev.tsv").read_text(encoding="utf-8").splitlines()]
    adapter = load(
        TaskConfig(task="text-classification", model="embedded/minilm-l6-sst2", labels=["positive", "negative"])
    )
    answers = adapter.predict([adapter.parse(text, i) for i, (text, _) in enumerate(rows)])
    right = sum(
        answer.label == ("negative", "positive")[int(row[1])] for answer, row in zip(answers, rows, strict=True)
    )
    assert right / len(rows) >= 0.8


@pytest.mark.skipif(not DATA.is_dir(), reason="the evaluation data lie beside the checkout where there are any")
def test_the_script_reproduces_the_shipped_head(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fitted again from the same sentences, the head has the same layers and labels and nearly the same weights."""
    from autoglm.models.heads.fit_sst2 import SHIPPED, main

    main(DATA / "sst2_train.tsv", DATA / "sst2_dev.tsv", tmp_path / "head")
    shipped, made = Head.load(SHIPPED), Head.load(tmp_path / "head")
    assert shipped_head("embedded/minilm-l6-sst2") == SHIPPED
    assert (made.labels, made.layers) == (shipped.labels, shipped.layers)
    # Another machine's arithmetic changes the last digits, and the optimiser stops within its tolerance.
    assert made.weight == pytest.approx(shipped.weight, abs=2e-3)
    assert "0.84" in capsys.readouterr().out


def test_images_are_named() -> None:
    """A cat is among the five likeliest names of a photograph of one, and a cup of espresso is espresso."""
    adapter = load(TaskConfig(task="image-classification", model="embedded/efficientnet-lite0"))
    pictures = [skimage.data.chelsea(), skimage.data.coffee()]
    cat, coffee = adapter.predict([adapter.parse(picture, i) for i, picture in enumerate(pictures)])
    assert adapter.labels is not None
    assert len(set(adapter.labels)) == 1000
    assert set(adapter.labels[281:286]) & set(cat.scores)
    assert len(cat.scores) == 5
    assert coffee.label == adapter.labels[967] == "espresso"


def test_the_chat_model_answers_and_classifies() -> None:
    """Generation is greedy and right; the same checkpoint tells good from bad without training."""
    generator = load(TaskConfig(task="text-generation", model="embedded/smollm2-135m-instruct"))
    prompts = ["Name the capital of France.", "Say hello."]
    assert "Paris" in generator.predict([generator.parse(prompt, i) for i, prompt in enumerate(prompts)])[0]
    with pytest.raises(UnprocessableEntityError, match="tokens"):
        generator.parse("word " * 9000, 0)
    del generator

    # text-classification with a generating checkpoint and labels is zero-shot too.
    classifier = load(
        TaskConfig(task="text-classification", model="embedded/smollm2-135m-instruct", labels=["positive", "negative"])
    )
    texts = ["I love this wonderful film, it is great!", "This is the worst and most boring film ever."]
    answers = classifier.predict([classifier.parse(text, i) for i, text in enumerate(texts)])
    assert [answer.label for answer in answers] == ["positive", "negative"]


def test_the_chat_model_is_prepared_for_vllm(prepared: Path) -> None:
    """The folder holds bfloat16 safetensors and a chat template."""
    import json

    from autoglm.models.embedded import prepare

    folder = prepare("smollm2-135m-instruct")
    assert folder == prepared / "models" / "smollm2-135m-instruct"
    assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"
    assert (folder / "model.safetensors").stat().st_size > 2e8
    assert "<|im_start|>" in (folder / "chat_template.jinja").read_text()
