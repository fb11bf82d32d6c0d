"""What a request asks for, apart from who answers it: the pipeline handles each kind alike."""

from deployments.router.work.embedding import Embedding
from deployments.router.work.generation import Generation
from deployments.router.work.prediction import Prediction
from deployments.router.work.work import StreamedWork, Work

__all__ = ["Embedding", "Generation", "Prediction", "StreamedWork", "Work"]
