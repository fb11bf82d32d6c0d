"""Data processors: from a file, a DataFrame or an iterable to what a model takes, a file for each kind of input."""

from autoglm.tasks.data.image import ImageInputs
from autoglm.tasks.data.inputs import Inputs
from autoglm.tasks.data.reader import Reader
from autoglm.tasks.data.table import TableInputs
from autoglm.tasks.data.text import TextInputs

__all__ = ["ImageInputs", "Inputs", "Reader", "TableInputs", "TextInputs"]
