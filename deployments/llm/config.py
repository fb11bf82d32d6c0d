"""What one LLM version needs to start, and the engine arguments that fit the hardware."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

# Seen with SmolLM2-135M on 2 cores: 2,048 tokens of context for 32 sequences fit into 1 GiB of KV cache.
CPU_KV_CACHE_GIB = "1"
CPU_ENGINE_ARGS: dict[str, Any] = {
    "enforce_eager": True,  # compiling takes minutes and gains little on a CPU
    "max_model_len": 2048,
    "max_num_seqs": 32,
}
# Tool calls in the form that SmolLM2, Qwen and the Hermes family write.
TOOL_ARGS: dict[str, Any] = {"enable_auto_tool_choice": True, "tool_call_parser": "hermes"}
# Where the CPU multiplies bfloat16 in hardware; elsewhere float32 is several times as fast.
BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})


class LLMVersion(BaseModel):
    """One version of a generating model, as the builder hands it to a replica."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    name: str
    version: str
    source: str
    device: Literal["cpu", "gpu"] = "cpu"
    gpus: int = Field(default=1, ge=1)
    engine_args: dict[str, Any] = Field(default_factory=dict)

    @property
    def max_model_len(self) -> int | None:
        """The longest prompt and answer together, in tokens; None where the model's own length holds."""
        defaults = CPU_ENGINE_ARGS if self.device == "cpu" else {}
        return (defaults | self.engine_args).get("max_model_len")

    def engine_kwargs(self) -> dict[str, Any]:
        """vLLM's engine arguments: the hardware's defaults under what was declared."""
        defaults = dict(TOOL_ARGS)
        if self.device == "cpu":
            defaults |= CPU_ENGINE_ARGS | {"dtype": cpu_dtype()}
        elif self.gpus > 1:
            defaults["tensor_parallel_size"] = self.gpus
        return defaults | self.engine_args


def cpu_dtype(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The fastest dtype of this CPU, by its flags."""
    try:
        flags = next(line for line in cpuinfo.read_text().splitlines() if line.startswith("flags")).split()
    except (OSError, StopIteration):
        return "float32"
    return "bfloat16" if BFLOAT16_FLAGS.intersection(flags) else "float32"


def cpu_environment(libraries: Path = Path(sys.prefix) / "lib") -> dict[str, str]:
    """The environment that vLLM's CPU worker reads; what the user has set stays as it is.

    Its threads are bound to cores by vLLM itself, and wait for each other in Intel's OpenMP where that is installed
    (vLLM's CPU build brings it on x86): it gives a core up while it waits, GNU's does not.
    """
    defaults = {
        "VLLM_CPU_KVCACHE_SPACE": CPU_KV_CACHE_GIB,
        "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
        "VLLM_CPU_OMP_THREADS_BIND": "auto",
    }
    if (openmp := libraries / "libiomp5.so").exists():
        defaults["LD_PRELOAD"] = str(openmp)
    return {name: os.environ.get(name, value) for name, value in defaults.items()}
