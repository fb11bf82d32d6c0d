"""`task: auto`: the type of a task, told from its declared data and model, and why."""

from __future__ import annotations

from itertools import islice
from typing import Any, NamedTuple

from autoglm.contract import DataConfig, TaskConfig, TaskType
from autoglm.errors import ConfigError

SAMPLE_ROWS = 1000
MAX_NUMERIC_LABELS = 20  # a column of more different numbers is a quantity, not a set of labels
EMBEDDED: dict[str, TaskType] = {
    "minilm-l6": "embedding",
    "minilm-l6-sst2": "text-classification",
    "efficientnet-lite0": "image-classification",
    "smollm2-135m-instruct": "text-generation",
}
ARCHITECTURES: dict[str, TaskType] = {
    "ForSequenceClassification": "text-classification",
    "ForImageClassification": "image-classification",
    "ForCausalLM": "text-generation",
    "Model": "embedding",
    "ForMaskedLM": "embedding",
}


class Inferred(NamedTuple):
    """A type, and the sentence that says what it was told from."""

    task: TaskType
    reason: str


def infer(config: TaskConfig) -> Inferred:
    """The declared type, or for `auto` the one that the data tell, else the model.

    Raises ConfigError where neither does; the message says what to declare.
    """
    if config.task != "auto":
        return Inferred(config.task, f"the declaration says {config.task}")
    if config.data is not None:
        return _by_data(config, config.data)
    if config.model is not None:
        return _by_model(config.model, bool(config.labels))
    raise ConfigError("task: got 'auto' without data and model; declare one of them, or the task's type")


def _by_data(config: TaskConfig, data: DataConfig) -> Inferred:
    rows = _sample(data)
    for name, kind in ((data.text, "text"), (data.image, "image")):
        if name in rows[0] and data.features is None:
            return _of_column(config, name, kind)
    return _by_label(data, [row.get(data.label) for row in rows])


def _sample(data: DataConfig) -> list[dict[str, Any]]:
    from autoglm.models.rows import iter_rows

    setting, source = ("data.train", data.train) if data.train else ("data.test", data.test)
    rows = list(islice(iter_rows(source, setting, data.columns), SAMPLE_ROWS))
    if not rows:
        raise ConfigError(f"{setting}: {source} holds no rows to tell the task's type from")
    return rows


def _of_column(config: TaskConfig, name: str, kind: str) -> Inferred:
    if kind == "image":
        return Inferred("image-classification", f"the data have an image column {name!r}")
    told = f"the data have a text column {name!r}"
    if config.data is not None and config.data.train is None and config.model is not None:
        by_model = _by_model(config.model, bool(config.labels))
        return Inferred(by_model.task, f"{told}, and {by_model.reason}")
    return Inferred("text-classification", f"{told} with labels to learn")


def _by_label(data: DataConfig, labels: list[Any]) -> Inferred:
    found = [_as_number(label) for label in labels]
    numbers = {number for number in found if number is not None}
    column = f"the label column {data.label!r}"
    if None in found:
        return Inferred("tabular-classification", f"the data have no text column, and {column} holds names")
    if all(number.is_integer() for number in numbers) and len(numbers) <= MAX_NUMERIC_LABELS:
        return Inferred(
            "tabular-classification",
            f"the data have no text column, and {column} holds {len(numbers)} different whole numbers",
        )
    return Inferred(
        "tabular-regression", f"the data have no text column, and {column} holds {len(numbers)} different numbers"
    )


def _as_number(label: Any) -> float | None:
    try:
        return float(label)
    except (TypeError, ValueError):
        return None


def _by_model(model: str, labelled: bool) -> Inferred:
    task, kind = _model_type(model)
    if task == "text-generation" and labelled:
        return Inferred("zero-shot-classification", f"{kind} generates text, and labels are declared")
    return Inferred(task, f"{kind} is made for {task}")


def _model_type(model: str) -> tuple[TaskType, str]:
    from autoglm.models import embedded
    from autoglm.models.checkpoint import architecture
    from autoglm.models.source import resolve

    if model.startswith(embedded.PREFIX):
        return EMBEDDED[embedded.check_name(model.removeprefix(embedded.PREFIX))], f"the model {model}"
    kind = architecture(resolve(model))
    for ending, task in ARCHITECTURES.items():
        if kind.endswith(ending):
            return task, f"the model {model} ({kind})"
    raise ConfigError(f"task: got 'auto', and {model} is a {kind}, which tells no type; declare it")
