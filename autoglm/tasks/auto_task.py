"""AutoTask: one declaration, run in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglm.contract import DataConfig, TaskConfig
from autoglm.errors import ConfigError
from autoglm.suggestion import nearest
from autoglm.tasks.declaration import parse_task, read_task
from autoglm.tasks.evaluation import Evaluation
from autoglm.tasks.measuring import measure
from autoglm.tasks.metrics import ALL_METRICS, known_metrics
from autoglm.tasks.saved import read_saved, write_saved
from autoglm.tasks.task_type import infer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from autoglm.client import AutoClient
    from autoglm.contract.registration import RegistrationCard
    from autoglm.models import Adapter
    from autoglm.tasks.data import Reader

STREAM_BATCH = 1024  # inputs in memory at once; text models cut it into passes of their own

FITTED_TASKS = ("text-classification", "tabular-classification", "tabular-regression")


class AutoTask:
    """A task that loads its model on first use.

    `config` is the declaration, with `auto` resolved; `reason` says in a sentence how the type was told.

    >>> task = AutoTask.from_config({"task": "tabular-classification", "data": {"train": "embedded/iris"}})
    >>> task.predict([5.1, 3.5, 1.4, 0.2]).label
    'setosa'
    """

    def __init__(self, config: TaskConfig, fitted: Path | None = None) -> None:
        task, self.reason = infer(config)
        self.config = config.model_copy(update={"task": task})
        self._check_metrics()
        self._fitted = fitted
        self._loaded: Reader | None = None

    @classmethod
    def from_config(cls, config: TaskConfig | Mapping[str, Any]) -> AutoTask:
        """A task from its declaration; ConfigError names a wrong key and the nearest known one."""
        return cls(config if isinstance(config, TaskConfig) else parse_task(config))

    @classmethod
    def from_file(cls, path: str | Path) -> AutoTask:
        """A task from a YAML or JSON file; paths in it are seen from the working directory, as in a cluster's file.

        Raises ConfigError where it cannot be read, or declares something wrong.
        """
        return cls(read_task(Path(path)))

    @classmethod
    def load(cls, folder: str | Path) -> AutoTask:
        """A task that `save` wrote, here or elsewhere; its training data are not needed.

        Raises ModelError where the folder is damaged, changed or of another version.
        """
        return cls(*read_saved(Path(folder)))

    def __repr__(self) -> str:
        model = "" if self.config.model is None else f", model={self.config.model!r}"
        return f"AutoTask({self.config.task!r}{model})"

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The labels in the order of `predict_proba`'s columns; None where the task does not classify."""
        return self._adapter.labels

    def fit(self, progress: Callable[[str], None] | None = None) -> AutoTask:
        """Fit on `data.train`, unless that was done before; the task itself, so that calls chain.

        `progress` is told each step. A fit that was broken off goes on after its last whole epoch.

        Raises ConfigError where no data are declared, or the type of task is not fitted.
        """
        from autoglm.models import prepare

        if self.config.task not in FITTED_TASKS:
            raise ConfigError(f"task: {self.config.task} is not fitted; {', '.join(FITTED_TASKS)} are")
        if self._data("fit").train is None:
            raise ConfigError("data.train: missing; fit() needs labelled rows")
        self._fitted, self._loaded = prepare(self.config, progress=progress), None
        return self

    def predict(self, inputs: Any) -> Any:
        """One input's answer, or the answers for a list of inputs, a DataFrame or the table at a `Path`.

        An input is a text, an image (base64, bytes, PIL, array or `Path`) or a row of numbers; an answer a
        `Prediction`, a float32 vector or a text, as the task has it.

        Raises BadRequestError and UnprocessableEntityError as a cluster would, `param` naming the input.
        """
        single, parsed = self._reader.parsed(inputs)
        outputs = self._adapter.predict(parsed)
        return outputs[0] if single else outputs

    def predict_stream(self, source: str | Path | Iterable[Any], batch_size: int = STREAM_BATCH) -> Iterator[Any]:
        """The answers one after the other, `batch_size` inputs in memory at a time.

        `source` is a .csv, .tsv, .jsonl or .parquet file, a DataFrame, or an iterable of inputs.

        Raises as `predict` does, when the input's batch comes; for a table the message names row and column.
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size: got {batch_size}; at least 1 is expected")
        for batch in self._reader.batches(source, batch_size):
            yield from self._adapter.predict(batch)

    def predict_proba(self, inputs: Any) -> NDArray[np.float32]:
        """(n, k) probabilities in the order of `labels` for what `predict` takes, (k,) for one input.

        Raises ConfigError where the task does not classify.
        """
        single, parsed = self._reader.parsed(inputs)
        probabilities = self._reader.classifier().probabilities(parsed)
        return probabilities[0] if single else probabilities

    def similarity(self, a: str | list[str], b: str | list[str]) -> Any:
        """The cosine of two texts as a float; for lists (n, m), for a list and a text (n,) or (m,).

        Raises ConfigError where the task is not `embedding`.
        """
        if self.config.task != "embedding":
            raise ConfigError(f"task: got {self.config.task!r}; similarity() is embedding's")
        cosines = self.predict(a) @ self.predict(b).T
        return float(cosines) if isinstance(a, str) and isinstance(b, str) else cosines

    def evaluate(self, source: Any = None) -> Evaluation:
        """The metrics over `data.test`, or over another labelled table that `predict_stream` takes.

        Precision, recall and F1 are means over labels.

        Raises ConfigError where there is no such table, or the task neither classifies nor tells numbers.
        """
        if not known_metrics(self.config.task):
            raise ConfigError(f"task: {self.config.task} has no labels; evaluate() takes classifications, regressions")
        data = self._data("evaluate") if source is None else self.config.data
        table = source if source is not None or data is None else data.test
        if table is None:
            raise ConfigError("data.test: missing; evaluate() needs labelled rows that were not fitted on")
        return measure(self.config, self._reader, table, STREAM_BATCH)

    def save(self, folder: str | Path, progress: Callable[[str], None] | None = None) -> Path:
        """Write declaration, what was fitted and checksums into a new folder that `load` reads; fits before if need be.

        Raises ConfigError where the folder exists.
        """
        from autoglm.models import prepare

        self._fitted = self._fitted or prepare(self.config, progress=progress)
        return write_saved(Path(folder), self.config, self._fitted)

    def deploy(
        self,
        client: AutoClient,
        name: str | None = None,
        version: str | None = None,
        *,
        wait_s: float = 300,
        progress: Callable[[str], None] | None = None,
    ) -> RegistrationCard:
        """Register the task on a running cluster, fitted before if need be, and wait until it runs there.

        `client` needs the scope `admin`. `name` is by default the declaration's, `version` the next free of v1, v2, …
        `progress` is told each step. The cluster gives the same answers as this process.

        Raises ConfigError for a wrong name or version, ModelError where the cluster could not run it,
        ConflictError where the version exists with other content, UnprocessableEntityError where the cluster serves
        no such task, APITimeoutError where it does not run within `wait_s` seconds; it is registered all the same.
        """
        from autoglm.tasks.deployment import Deployment, checked_name, checked_version

        place = checked_name(name or self.config.name), checked_version(version)
        return Deployment(client, *place, wait_s, progress or _silent).run(self)

    @property
    def _adapter(self) -> Adapter:
        return self._reader.adapter

    @property
    def _reader(self) -> Reader:
        if self._loaded is None:
            from autoglm.models import load
            from autoglm.tasks.data import Reader

            self._loaded = Reader(self.config, load(self.config, self._fitted))
        return self._loaded

    def _check_metrics(self) -> None:
        known = known_metrics(self.config.task)
        for name in self.config.metrics or ():
            if name not in ALL_METRICS:
                raise ConfigError(f"metrics: no metric is called {name!r}; {nearest(name, ALL_METRICS)}")
            if name not in known:
                raise ConfigError(f"metrics: {self.config.task} has no {name!r}; known: {', '.join(known) or 'none'}")

    def _data(self, call: str) -> DataConfig:
        if self.config.data is None:
            raise ConfigError(f"data: missing; {call}() needs `data: {{train: …}}` with labelled rows")
        return self.config.data


def _silent(step: str) -> None:
    """Nobody is told."""
