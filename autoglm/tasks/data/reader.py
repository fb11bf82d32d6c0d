"""A task's inputs read, parsed and cut into batches, whatever they come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from autoglm.contract import DataConfig, TaskConfig
from autoglm.errors import APIStatusError, ConfigError
from autoglm.models import Classifier, TableAdapter
from autoglm.models.rows import Row, is_frame, iter_rows
from autoglm.models.table import present
from autoglm.tasks.data.image import ImageInputs
from autoglm.tasks.data.inputs import Inputs, as_row_error
from autoglm.tasks.data.table import TableInputs
from autoglm.tasks.data.text import TextInputs

if TYPE_CHECKING:
    from autoglm.models import Adapter

Item = TypeVar("Item")


class Reader:
    """An adapter, and the processor that fits it."""

    def __init__(self, config: TaskConfig, adapter: Adapter) -> None:
        self.adapter = adapter
        self._data = config.data or DataConfig.model_construct()  # the default columns, of no file
        self._inputs = inputs_of(config, self._data, adapter)
        self.label = self._data.label

    def classifier(self) -> Classifier:
        """The adapter as a classifier; ConfigError where it is none."""
        if not isinstance(self.adapter, Classifier):
            raise ConfigError("task: it has no labels, and so no probabilities")
        return self.adapter

    def parsed(self, given: Any) -> tuple[bool, list[Any]]:
        """Whether what `predict` was given is one input, and all of it parsed."""
        if is_frame(given):
            return False, list(self._of_source(given))
        if self._inputs.is_single(given):
            return self._one(given)
        return False, [self._parse(item, index) for index, item in enumerate(given)]

    def batches(self, source: Any, size: int) -> Iterator[list[Any]]:
        """Parsed inputs of a table or an iterable."""
        return batched(self._of_source(source), size)

    def labelled_batches(self, source: Any, size: int) -> Iterator[list[tuple[Any, Any]]]:
        """Parsed inputs of a table, each with its label as read."""
        return batched(self._with_labels(source), size)

    def name(self, source: Any) -> str:
        """What errors call a source."""
        return str(source) if isinstance(source, str | Path) else "the table"

    def _one(self, given: Any) -> tuple[bool, list[Any]]:
        if isinstance(given, Path) and not isinstance(self._inputs, ImageInputs):  # of an image, it is the image
            return False, list(self._of_source(given))
        return True, [self._parse(given, 0)]

    def _of_source(self, source: Any) -> Iterator[Any]:
        if not isinstance(source, str | Path) and not is_frame(source):
            return (self._parse(item, index) for index, item in enumerate(source))
        return (parsed for parsed, _ in self._of_table(source))

    def _with_labels(self, source: Any) -> Iterator[tuple[Any, Any]]:
        name = self.name(source)
        for index, (parsed, row) in enumerate(self._of_table(source)):
            yield parsed, present(row, index, self.label, name, "data.label")

    def _of_table(self, source: Any) -> Iterator[tuple[Any, Row]]:
        name = self.name(source)
        folder = Path(source).expanduser().parent if isinstance(source, str | Path) else None
        for index, row in enumerate(iter_rows(source, name, self._data.columns)):
            item = self._inputs.from_row(row, name, folder)
            try:
                yield self._parse(item, index), row
            except APIStatusError as error:
                raise as_row_error(error, self._inputs, name) from error

    def _parse(self, item: Any, index: int) -> Any:
        return self.adapter.parse(self._inputs.accept(item, index), index)


def inputs_of(config: TaskConfig, data: DataConfig, adapter: Adapter) -> Inputs:
    """The processor of a task's kind of input."""
    if isinstance(adapter, TableAdapter):
        return TableInputs(adapter.columns)
    if config.task == "image-classification":
        return ImageInputs(data.image, allow_urls=config.allow_urls)
    return TextInputs(data.text)


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one of what is left."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
