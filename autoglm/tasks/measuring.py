"""A fitted task measured on labelled rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from autoglm.contract import Prediction, TaskConfig
from autoglm.errors import ConfigError
from autoglm.tasks.evaluation import Evaluation
from autoglm.tasks.metrics import CLASS_METRICS, NUMBER_METRICS, confusion_matrix, known_metrics

if TYPE_CHECKING:
    from autoglm.tasks.data import Reader


def measure(config: TaskConfig, reader: Reader, source: Any, batch_size: int) -> Evaluation:
    """The declared metrics, by default all of the task's kind, over a table's rows.

    Raises ConfigError where the table has no rows, or a label that cannot be right.
    """
    names = config.metrics or known_metrics(config.task)
    if config.task == "tabular-regression":
        return _measure_numbers(names, reader, source, batch_size)
    return _measure_classes(names, reader, source, batch_size)


def _measure_classes(names: Iterable[str], reader: Reader, source: Any, batch_size: int) -> Evaluation:
    import numpy as np

    classifier = reader.classifier()
    labels = classifier.labels or ()
    places = {label: place for place, label in enumerate(labels)}
    true: list[int] = []
    found = []
    for batch in reader.labelled_batches(source, batch_size):
        true += [_place(places, label, len(true) + i, reader.name(source)) for i, (_, label) in enumerate(batch)]
        found.append(classifier.probabilities([parsed for parsed, _ in batch]))
    _check_rows(true, reader.name(source))
    indices, probabilities = np.array(true, dtype=np.int64), np.concatenate(found)
    return Evaluation(
        {name: CLASS_METRICS[name](indices, probabilities) for name in names},
        rows=len(true),
        labels=labels,
        confusion=confusion_matrix(indices, probabilities),
    )


def _measure_numbers(names: Iterable[str], reader: Reader, source: Any, batch_size: int) -> Evaluation:
    import numpy as np

    from autoglm.models.table import number

    true: list[float] = []
    found: list[float | None] = []
    for batch in reader.labelled_batches(source, batch_size):
        for _, label in batch:
            true.append(number(label, len(true), reader.label, reader.name(source)))
        answers = cast("list[Prediction]", reader.adapter.predict([parsed for parsed, _ in batch]))
        found += [answer.value for answer in answers]
    _check_rows(true, reader.name(source))
    wanted, told = np.array(true, dtype=np.float64), np.array(found, dtype=np.float64)
    scores = {name: NUMBER_METRICS[name](wanted, told) for name in names}
    return Evaluation(scores, rows=len(true), true=wanted, found=told)


def _place(places: dict[str, int], label: Any, index: int, source: str) -> int:
    try:
        return places[str(label)]
    except KeyError:
        known = ", ".join(list(places)[:10])
        raise ConfigError(
            f"{source}: row {index + 1}: the label {label!r:.80} is none that was fitted ({known})"
        ) from None


def _check_rows(rows: Sequence[Any], source: str) -> None:
    if not rows:
        raise ConfigError(f"{source} holds no rows")
