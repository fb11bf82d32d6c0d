"""A cluster of any Serve config, for what `python -m serve_app up` does not declare."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from serve_app import environment


def main(config: dict[str, Any]) -> None:
    """Serve until a signal."""
    with tempfile.TemporaryDirectory() as folder:
        environment.prepare(Path(folder))
        from serve_app import cluster

        with cluster.local_ray() as dashboard:
            cluster.raise_on_signals()
            try:
                cluster.deploy(dashboard, config)
                for _ in cluster.watch(dashboard, [application["name"] for application in config["applications"]]):
                    pass
                cluster.serve_until_interrupted()
            except cluster.Interrupted:
                pass


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
