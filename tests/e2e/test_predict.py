"""The declared tasks on real data, through HTTP."""

from __future__ import annotations

import base64
import csv
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data
from sklearn.datasets import load_iris

from autoglm import AutoClient, AutoTask
from tests.e2e.running_cluster import ROOT, Cluster

SST2_DEV = ROOT.parent / "shared" / "data" / "sst2_dev.tsv"
CATS = {"tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"}


def sentences() -> tuple[list[str], list[str]]:
    """SST-2's dev sentences and their labels."""
    with SST2_DEV.open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [text for text, _ in rows], [("negative", "positive")[int(label)] for _, label in rows]


@pytest.mark.skipif(not SST2_DEV.parent.is_dir(), reason="the evaluation data lie beside the checkout, not in it")
def test_sentiment_is_right_and_the_same_as_in_process(cluster: Cluster) -> None:
    """Concurrent requests, batched in ever other company, give each sentence the label that it has alone."""
    texts, gold = sentences()
    pieces = [texts[start : start + 4] for start in range(0, len(texts), 4)]
    with cluster.client() as client, ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(lambda piece: client.predict("sentiment", piece), pieces))
    served = [prediction.label for response in responses for prediction in response.predictions]
    assert np.mean([a == b for a, b in zip(served, gold, strict=True)]) >= 0.80
    task = AutoTask.from_config({"task": "text-classification", "model": "embedded/minilm-l6-sst2"})
    assert served == [prediction.label for prediction in task.predict(texts)]


def photograph(pixels: np.ndarray) -> str:  # type: ignore[type-arg]
    """An image as a client sends it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_image_knows_the_cat_and_the_coffee(client: AutoClient) -> None:
    """scikit-image's chelsea is a cat, and its cup of coffee an espresso."""
    cat, coffee = client.predict("image", [photograph(data.chelsea()), photograph(data.coffee())]).predictions
    assert any(label.split(",")[0] in CATS for label in cat.scores), cat.scores
    assert coffee.label.startswith("espresso"), coffee.label


def test_iris_knows_its_flowers(client: AutoClient) -> None:
    """Rows of four numbers get the names of the species."""
    iris = load_iris()
    predictions = client.predict("iris", iris.data.tolist()).predictions
    right = [p.label == iris.target_names[t] for p, t in zip(predictions, iris.target, strict=True)]
    assert np.mean(right) >= 0.93


def test_embeddings_put_like_beside_like(client: AutoClient) -> None:
    """A paraphrase is nearer than a stranger."""
    vectors = client.embed(["a very good film", "an excellent movie", "the train leaves at noon"])
    assert vectors.shape == (3, 384)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_python_callers_use_the_handle(cluster: Cluster, tmp_path: Path) -> None:
    """`serve.get_app_handle("autoglm")` has the client's methods; a driver beside the cluster calls them."""
    script = tmp_path / "driver.py"
    script.write_text(
        "import ray\nfrom ray import serve\n"
        "ray.init(address='auto', log_to_driver=False)\n"
        "router = serve.get_app_handle('autoglm')\n"
        "print(router.chat.remote('Name the capital of France.', temperature=0).result()"
        "['choices'][0]['message']['content'])\n"
        "print(router.predict.remote('sentiment', ['a wonderful film']).result()['predictions'][0]['label'])\n"
        "print(router.embed.remote(['hello']).result().shape)\n"
        "stream = router.options(stream=True).stream.remote('Name the capital of France.', temperature=0)\n"
        "print(sum(b'content' in event for event in stream) > 3)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=180, env=cluster.environment()
    )
    assert done.returncode == 0, done.stderr
    answer, label, shape, streamed = done.stdout.splitlines()[-4:]
    assert "Paris" in answer
    assert (label, shape, streamed) == ("positive", "(1, 384)", "True")
