"""Full fine-tuning of a text encoder under a new classification head, with a checkpoint after each epoch.

AdamW with a linear warm-up and a linear decay, as Devlin et al. (2019) fine-tuned BERT.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglm.contract import FitConfig
from autoglm.models.checkpoint import Source, max_tokens, open_tokenizer, open_under_new_head, quiet
from autoglm.models.encoder import pad
from autoglm.models.text import check_text

if TYPE_CHECKING:
    import torch

WARMUP = 0.1  # of all steps
WEIGHT_DECAY = 0.01
MAX_NORM = 1.0  # of a step's gradient
TOLD_STEPS = 20  # a step in so many is told
_PARTIAL = ".partial"


class FineTuning:
    """One run. The same settings and texts give the same weights, also where the run was broken off and taken up."""

    def __init__(self, source: Source, names: Sequence[str], config: FitConfig, checkpoints: Path) -> None:
        self._config = config
        self._checkpoints = checkpoints
        self._tokenizer = open_tokenizer(source)
        with seeded(config.seed):
            self._model = open_under_new_head(source, names)
        self._limit = max_tokens(source, self._tokenizer, self._model.config)
        self._optimizer = self._new_optimizer()

    def parse(self, item: Any, index: int) -> list[int]:
        """The text's token ids, cut to what the model reads."""
        text = check_text(item, index)
        return list(self._tokenizer(text, truncation=True, max_length=self._limit)["input_ids"])

    def run(self, rows: Sequence[list[int]], targets: Sequence[int], progress: Callable[[str], None]) -> None:
        """Train on token rows and label indices; epochs that a checkpoint holds are not done again."""
        for epoch in range(self._resume(progress), self._config.epochs):
            with seeded(self._config.seed + epoch + 1):
                self._epoch(epoch, rows, targets, progress)
            self._checkpoint(epoch + 1)

    def save(self, folder: Path) -> None:
        """The model and its tokenizer, as a checkpoint that `SequenceClassifier` opens."""
        self._tokenizer.model_max_length = self._limit
        with quiet():
            self._model.save_pretrained(folder)
            self._tokenizer.save_pretrained(folder)

    def _epoch(
        self, epoch: int, rows: Sequence[list[int]], targets: Sequence[int], progress: Callable[[str], None]
    ) -> None:
        import torch

        size = self._config.batch_size
        order = torch.randperm(len(rows)).tolist()
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        for step, batch in enumerate(batches):
            rate = warmed_up(epoch * len(batches) + step, self._config.epochs * len(batches))
            loss = self._step([rows[i] for i in batch], [targets[i] for i in batch], rate)
            if step % TOLD_STEPS == 0 or step == len(batches) - 1:
                done = f"epoch {epoch + 1} of {self._config.epochs}, step {step + 1} of {len(batches)}"
                progress(f"{done}: loss {loss:.4f}")

    def _step(self, rows: list[list[int]], targets: list[int], rate: float) -> float:
        import torch

        ids, mask = pad(rows, self._tokenizer.pad_token_id or 0, self._model.device)
        for group in self._optimizer.param_groups:
            group["lr"] = self._config.learning_rate * rate
        self._optimizer.zero_grad()
        wanted = torch.tensor(targets, device=self._model.device)
        loss = self._model(input_ids=ids, attention_mask=mask, labels=wanted).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), MAX_NORM)
        self._optimizer.step()
        return float(loss.detach())

    def _new_optimizer(self) -> torch.optim.Optimizer:
        """Biases and norms, the tensors of one dimension, are not decayed."""
        import torch

        parameters = list(self._model.parameters())
        groups: list[dict[str, Any]] = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self._config.learning_rate)

    def _checkpoint(self, epochs: int) -> None:
        """The state after so many epochs; it appears whole, then the one before goes."""
        from safetensors.torch import save_file, save_model

        aside = self._checkpoints / f"{epochs}{_PARTIAL}"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700, parents=True)
        save_model(self._model, str(aside / "model.safetensors"))
        state = self._optimizer.state_dict()["state"]
        tensors = {f"{i}.{name}": tensor for i, values in state.items() for name, tensor in values.items()}
        save_file(tensors, aside / "optimizer.safetensors")
        aside.rename(self._checkpoints / str(epochs))
        shutil.rmtree(self._checkpoints / str(epochs - 1), ignore_errors=True)

    def _resume(self, progress: Callable[[str], None]) -> int:
        """How many epochs are done already; their state is loaded."""
        from safetensors.torch import load_file, load_model

        done = max((int(path.name) for path in self._checkpoints.glob("*") if path.name.isdigit()), default=0)
        if done:
            folder = self._checkpoints / str(done)
            progress(f"going on after epoch {done} of {self._config.epochs}")
            load_model(self._model, str(folder / "model.safetensors"))
            state: dict[int, dict[str, torch.Tensor]] = {}
            for key, tensor in load_file(folder / "optimizer.safetensors").items():
                place, name = key.split(".")
                state.setdefault(int(place), {})[name] = tensor
            self._optimizer.load_state_dict(self._optimizer.state_dict() | {"state": state})
        return done


def warmed_up(step: int, steps: int) -> float:
    """The part of the learning rate at a step: up to 1 over the warm-up, then down towards 0."""
    warm = max(1, round(WARMUP * steps))
    return min((step + 1) / warm, (steps - step) / max(1, steps - warm))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's chance as `seed` has it; what the caller's own would have been is restored."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
