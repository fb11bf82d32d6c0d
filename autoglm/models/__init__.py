"""Model adapters: text, image, table, embedding and generation behind one small interface."""

from autoglm.models.adapter import Adapter, Classifier, TableAdapter
from autoglm.models.factory import load, prepare

__all__ = ["Adapter", "Classifier", "TableAdapter", "load", "prepare"]
