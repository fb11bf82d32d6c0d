"""The drawing of an evaluation, by matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglm.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoglm.tasks.evaluation import Evaluation

NAMED_LABELS = 30  # more would overprint each other


def draw(evaluation: Evaluation, path: Path) -> None:
    """Metrics as a title over the confusion matrix, or over told against true numbers."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError("chart() needs matplotlib; pip install matplotlib") from error
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    axes.set_title("   ".join(f"{name} {score:.3f}" for name, score in evaluation.items()), fontsize=9)
    if evaluation.confusion is not None:
        _draw_confusion(figure, axes, evaluation)
    elif evaluation.true is not None and evaluation.found is not None:
        _draw_numbers(axes, evaluation.true, evaluation.found)
    figure.savefig(path)


def _draw_confusion(figure: Any, axes: Any, evaluation: Evaluation) -> None:
    figure.colorbar(axes.imshow(evaluation.confusion, cmap="Blues"), label="rows")
    axes.set(xlabel="found", ylabel="true")
    if len(evaluation.labels) <= NAMED_LABELS:
        places = range(len(evaluation.labels))
        axes.set_xticks(places, evaluation.labels, rotation=90)
        axes.set_yticks(places, evaluation.labels)


def _draw_numbers(axes: Any, true: NDArray[Any], found: NDArray[Any]) -> None:
    axes.scatter(true, found, s=8)
    axes.axline((true.mean(), true.mean()), slope=1, color="gray")  # what right answers would lie on
    axes.set(xlabel="true", ylabel="told")
