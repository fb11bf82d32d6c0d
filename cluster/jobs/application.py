"""The running application, called by handle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from autoglm.errors import ConfigError

Predict = Callable[[str, list[Any]], Awaitable[dict[str, Any]]]  # (task, inputs) -> the body of `POST /v1/predict`

APPLICATION = "autoglm"


def connect() -> Predict:
    """The `predict` of the application on the Ray cluster that this process belongs to.

    Raises:
        ConfigError: there is no cluster, or it does not run the application.
    """
    import ray
    from ray import serve
    from ray.serve.exceptions import RayServeException

    try:
        ray.init(address="auto", log_to_driver=False)
        return predict_by(serve.get_app_handle(APPLICATION))
    except ConnectionError as error:
        raise ConfigError(
            "no Ray cluster was found; run this by `ray job submit` on the cluster that serves"
        ) from error
    except RayServeException as error:
        raise ConfigError(f"the cluster does not run the application {APPLICATION!r}; start it first") from error


def predict_by(handle: Any) -> Predict:
    """The `predict` of an application's handle; what it raises is of the error tree."""
    from deployments.router.failures import translated

    async def predict(task: str, inputs: list[Any]) -> dict[str, Any]:
        with translated(APPLICATION):
            body: dict[str, Any] = await handle.predict.remote(task, inputs)
            return body

    return predict
