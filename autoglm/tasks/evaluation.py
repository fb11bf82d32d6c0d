"""What `evaluate()` gives: the metrics as a mapping, and what they were computed from, to be looked at."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHOWN_LABELS = 100  # of a confusion matrix in a notebook; its cells are the square


@dataclass(frozen=True, eq=False)
class Evaluation(Mapping[str, float]):
    """`evaluation["accuracy"]`; iterates over the metrics' names.

    Of a classification `labels` and `confusion`, the (k, k) counts with a row for each true label and a column for
    each one found; of a regression `true` and `found`, n numbers each.
    """

    scores: Mapping[str, float]
    rows: int
    labels: tuple[str, ...] = ()
    confusion: NDArray[np.int64] | None = None
    true: NDArray[np.float64] | None = None
    found: NDArray[np.float64] | None = None

    def __getitem__(self, name: str) -> float:
        return self.scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={score:.4f}" for name, score in self.items())
        return f"Evaluation({told}, rows={self.rows})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON takes them."""
        told: dict[str, Any] = {"metrics": dict(self.scores), "rows": self.rows}
        if self.confusion is not None:
            told |= {"labels": list(self.labels), "confusion_matrix": self.confusion.tolist()}
        return told

    def _repr_html_(self) -> str:
        scores = _table("metric", ("",), [(name, (f"{score:.4f}",)) for name, score in self.items()])
        return f"<p>{self.rows:,} rows</p>{scores}{self._confusion_html()}"

    def _confusion_html(self) -> str:
        if self.confusion is None or len(self.labels) > SHOWN_LABELS:
            return ""
        return _table("true \\ found", self.labels, zip(self.labels, self.confusion.tolist(), strict=True))

    def chart(self, path: str | Path) -> Path:
        """Draw it into an image file (.png, .svg, .pdf); needs matplotlib.

        Raises ConfigError where matplotlib is not installed.
        """
        from autoglm.tasks.chart import draw

        draw(self, Path(path))
        return Path(path)


def _table(corner: str, names: Iterable[str], rows: Iterable[tuple[str, Iterable[Any]]]) -> str:
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in names)
    body = "".join(
        f"<tr><th>{html.escape(str(name))}</th>{''.join(f'<td>{html.escape(str(v))}</td>' for v in values)}</tr>"
        for name, values in rows
    )
    return f"<table><tr><th>{corner}</th>{head}</tr>{body}</table>"
