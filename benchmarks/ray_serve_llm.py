"""ray.serve.llm's own OpenAI application, with the same engine arguments and the same environment as this project's.

What vLLM reads is set where this project sets it: in the engine's replica, not in all of Ray's processes.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from serve_app import environment


def main(source: str, port: int, engine_args: dict[str, Any], gpus: int, variables: dict[str, str]) -> None:
    """Serve the model `chat` until a signal."""
    with tempfile.TemporaryDirectory() as folder:
        environment.prepare(Path(folder))
        import ray
        from ray import serve
        from ray.serve.llm import LLMConfig, ModelLoadingConfig, build_openai_app

        hardware: dict[str, Any] = {}
        if not gpus:
            hardware = {
                "accelerator_config": {"kind": "cpu"},
                "placement_group_config": {"bundles": [{"CPU": 0.1}]},
                "deployment_config": {"ray_actor_options": {"num_cpus": 0.1}},
            }
        config = LLMConfig(
            model_loading_config=ModelLoadingConfig(model_id="chat", model_source=source),
            engine_kwargs=engine_args,
            log_engine_metrics=False,
            runtime_env={"env_vars": variables},
            **hardware,
        )
        ray.init(address="local", log_to_driver=False)
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        application = build_openai_app(
            {"llm_configs": [config], "ingress_deployment_config": {"ray_actor_options": {"num_cpus": 0.1}}}
        )
        serve.run(application, name="llm")
        signal.sigwait([signal.SIGINT, signal.SIGTERM])
        ray.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]), int(sys.argv[4]), json.loads(sys.argv[5]))
