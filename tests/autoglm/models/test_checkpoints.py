"""Checkpoints from a local folder: trained heads only, safetensors only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from autoglm.contract import TaskConfig
from autoglm.errors import ConfigError, ModelError
from autoglm.models import load

TEXTS = ["a good film", "dull", "a great great great fine film", "poor bad", "fine", "a a"]
BertMaker = Callable[..., Path]


def classify(folder: Path, labels: list[str] | None = None) -> TaskConfig:
    return TaskConfig(task="text-classification", model=str(folder), labels=labels)


@pytest.mark.parametrize("architecture", ["BertModel", "BertForMaskedLM"])
def test_a_checkpoint_without_a_head_does_not_predict(make_bert: BertMaker, architecture: str) -> None:
    """It would answer noise; the message gives the two ways out."""
    with pytest.raises(ModelError, match=f"{architecture}.*noise.*`data:.*zero-shot-classification"):
        load(classify(make_bert(architecture)))


def test_a_head_that_is_declared_but_not_saved_is_refused(make_bert: BertMaker) -> None:
    """The class name alone does not make a trained head: the weights must be in the file."""
    folder = make_bert("BertForSequenceClassification")
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith("classifier")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"no trained weights for classifier\.bias, classifier\.weight"):
        load(classify(folder))


def test_pickled_weights_are_refused(make_bert: BertMaker) -> None:
    """A folder that has only pytorch_model.bin is not opened."""
    folder = make_bert("BertForSequenceClassification")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no \*\.safetensors; pickled weights .* not loaded"):
        load(classify(folder))


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    """The message says what kind of folder is expected."""
    with pytest.raises(ModelError, match=r"no config\.json"):
        load(classify(tmp_path))


def test_sub_batches_answer_as_one_by_one(make_bert: BertMaker) -> None:
    """Padding and order leave no trace: probabilities agree to float32's rounding."""
    adapter = load(classify(make_bert("BertForSequenceClassification", num_labels=3)))
    rows = [adapter.parse(text, 0) for text in TEXTS * 4]
    together = adapter.predict(rows)
    alone = [adapter.predict([row])[0] for row in rows]
    assert [p.label for p in together] == [p.label for p in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)
    assert len({round(p.score, 6) for p in together}) > 1


def test_the_checkpoints_labels_are_kept_in_its_order(make_bert: BertMaker) -> None:
    """Declared labels are compared as a set: their order does not turn the answers around."""
    names = {0: "negative", 1: "positive"}
    folder = make_bert("BertForSequenceClassification", id2label=names, label2id={v: k for k, v in names.items()})
    assert load(classify(folder, ["positive", "negative"])).labels == ("negative", "positive")
    with pytest.raises(ConfigError, match=r"labels: got \['good', 'bad'\], but the model knows"):
        load(classify(folder, ["good", "bad"]))


def test_nameless_labels_are_taken_by_position(make_bert: BertMaker) -> None:
    """LABEL_0 and LABEL_1 get the declared names; a wrong number of names is refused."""
    folder = make_bert("BertForSequenceClassification", num_labels=2)
    assert load(classify(folder, ["no", "yes"])).labels == ("no", "yes")
    with pytest.raises(ConfigError, match="labels"):
        load(classify(folder, ["no", "perhaps", "yes"]))


def test_long_texts_are_cut_to_the_model(make_bert: BertMaker) -> None:
    """A text of more tokens than the model has positions is read up to there."""
    adapter = load(classify(make_bert("BertForSequenceClassification")))
    row = adapter.parse("good " * 50, 0)
    assert adapter.tokens(row) == 12
    assert len(adapter.predict([row])) == 1


def test_a_head_is_fitted_once_on_the_frozen_encoder(make_bert: BertMaker, empty_home: Path, tmp_path: Path) -> None:
    """`data` makes a classifier of a bare encoder; changed rows make another head, the same rows do not."""
    table = tmp_path / "rows.csv"
    table.write_text("text,label\n" + "a good film,up\na bad film,down\ngreat,up\ndull poor,down\n" * 5)
    config = TaskConfig.model_validate(
        {"task": "text-classification", "model": str(make_bert("BertModel")), "data": {"train": str(table)}}
    )
    adapter = load(config)
    rows = [adapter.parse(text, 0) for text in ("a good film", "dull poor")]
    assert [p.label for p in adapter.predict(rows)] == ["up", "down"]
    load(config)
    assert len(list((empty_home / "heads").glob("*.safetensors"))) == 1
    table.write_text(table.read_text() + "fine,up\n")
    load(config)
    assert len(list((empty_home / "heads").glob("*.safetensors"))) == 2


def test_embeddings_are_unit_means(make_bert: BertMaker) -> None:
    """The vector is the mean of the last layer's states over the text's own tokens, at length 1."""
    import transformers

    folder = make_bert("BertModel")
    adapter = load(TaskConfig(task="embedding", model=str(folder)))
    rows = [adapter.parse(text, 0) for text in TEXTS]
    vectors = adapter.predict(rows)
    model = transformers.BertModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        means = [model(torch.tensor([row])).last_hidden_state[0].mean(dim=0).numpy() for row in rows]
    expected = np.stack([mean / np.linalg.norm(mean) for mean in means])
    assert (vectors.dtype, vectors.shape) == (np.float32, (len(TEXTS), 16))
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert adapter.predict([]).shape == (0, 16)


def test_an_image_checkpoint_predicts_its_own_labels(tmp_path: Path) -> None:
    """A folder of `*ForImageClassification` works with Pillow alone."""
    import transformers

    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=16,
        patch_size=8,
        id2label={0: "cat", 1: "cup"},
        label2id={"cat": 0, "cup": 1},
    )
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path)
    transformers.ViTImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(tmp_path)
    adapter = load(TaskConfig(task="image-classification", model=str(tmp_path)))
    (answer,) = adapter.predict([adapter.parse(np.zeros((30, 20, 3), np.uint8), 0)])
    assert adapter.labels == ("cat", "cup")
    assert sum(answer.scores.values()) == pytest.approx(1)
