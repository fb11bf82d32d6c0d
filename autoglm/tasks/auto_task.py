"""AutoTask: one declaration, run in this process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from autoglm.contract import DataConfig, TaskConfig
from autoglm.errors import ConfigError
from autoglm.suggestion import nearest
from autoglm.tasks.declaration import parse_task
from autoglm.tasks.metrics import METRICS

if TYPE_CHECKING:
    from autoglm.models import Adapter


class AutoTask:
    """A task that loads its model on first use.

    >>> task = AutoTask.from_config({"task": "tabular-classification", "data": {"train": "embedded/iris"}})
    >>> task.predict([5.1, 3.5, 1.4, 0.2]).label
    'setosa'
    """

    def __init__(self, config: TaskConfig) -> None:
        for name in config.metrics:
            if name not in METRICS:
                raise ConfigError(f"metrics: no metric is called {name!r}; {nearest(name, METRICS)}")
        self.config = config

    @classmethod
    def from_config(cls, config: TaskConfig | Mapping[str, Any]) -> AutoTask:
        """A task from its declaration; ConfigError names a wrong key and the nearest known one."""
        return cls(config if isinstance(config, TaskConfig) else parse_task(config))

    def __repr__(self) -> str:
        model = "" if self.config.model is None else f", model={self.config.model!r}"
        return f"AutoTask({self.config.task!r}{model})"

    def fit(self) -> AutoTask:
        """Fit the head on `data.train`, unless that was done before; the task itself, so that calls chain.

        Raises ConfigError where no data are declared.
        """
        self._data("fit")
        self._adapter  # noqa: B018  loading fits
        return self

    def predict(self, inputs: Any) -> Any:
        """One input's answer, or a list of answers for a list of inputs.

        An input is a text, an image (base64, bytes, PIL or array) or a row of numbers; an answer a
        `Prediction`, a float32 vector or a text, as the task has it.

        Raises BadRequestError and UnprocessableEntityError as a cluster would, `param` naming the input.
        """
        single = self._is_single(inputs)
        parsed = [self._adapter.parse(item, index) for index, item in enumerate([inputs] if single else inputs)]
        outputs = self._adapter.predict(parsed)
        return outputs[0] if single else outputs

    def evaluate(self) -> dict[str, float]:
        """The declared metrics over `data.test`; `f1` is the mean over labels.

        Raises ConfigError where `data.test` is not declared or the task does not classify rows or texts.
        """
        data = self._data("evaluate")
        if data.test is None:
            raise ConfigError("data.test: missing; evaluate() needs labelled rows that were not fitted on")
        inputs, true = self._labelled(data, data.test)
        predicted = [prediction.label for prediction in self.predict(inputs)]
        return {name: METRICS[name](true, predicted) for name in self.config.metrics}

    @cached_property
    def _adapter(self) -> Adapter:
        from autoglm.models import load

        return load(self.config)

    def _is_single(self, inputs: Any) -> bool:
        if self.config.task != "tabular-classification":
            return not isinstance(inputs, list | tuple)
        if hasattr(inputs, "ndim"):
            return bool(inputs.ndim == 1)
        return not any(isinstance(item, list | tuple) or hasattr(item, "ndim") for item in inputs)

    def _labelled(self, data: DataConfig, source: str) -> tuple[list[Any], list[str]]:
        from autoglm.models.table import features_and_labels, texts_and_labels

        if self.config.task == "tabular-classification":
            features, labels = features_and_labels(data, source, "data.test")
            return features.tolist(), labels
        if self.config.task not in ("text-classification", "zero-shot-classification"):
            raise ConfigError(f"task: {self.config.task} has no labelled test data; evaluate() takes texts and tables")
        return texts_and_labels(data, source, "data.test")

    def _data(self, call: str) -> DataConfig:
        if self.config.data is None:
            raise ConfigError(f"data: missing; {call}() needs `data: {{train: …}}` with labelled rows")
        return self.config.data
