"""What an LLM version asks of vLLM, by the hardware and by the declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deployments.llm.config import LLMVersion, cpu_dtype, cpu_environment


def version(**fields: Any) -> LLMVersion:
    return LLMVersion(name="chat", version="v1", source="embedded/smollm2-135m-instruct", **fields)


@pytest.mark.parametrize(
    ("cpuinfo", "dtype"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 amx_bf16 sse\n", "bfloat16"),
        ("flags\t\t: fpu avx512f avx512_bf16\n", "bfloat16"),
        ("flags\t\t: fpu avx2 avx512f avx512_bf16_like\n", "float32"),
        ("Features\t: fp asimd\n", "float32"),
        (None, "float32"),
    ],
)
def test_bfloat16_is_taken_only_where_the_cpu_multiplies_it(tmp_path: Path, cpuinfo: str | None, dtype: str) -> None:
    """Elsewhere it is several times slower; a machine without /proc/cpuinfo counts as elsewhere."""
    path = tmp_path / "cpuinfo"
    if cpuinfo is not None:
        path.write_text(cpuinfo)
    assert cpu_dtype(path) == dtype


def test_what_was_declared_stands_over_the_hardwares_defaults() -> None:
    """The user's word is last, and the defaults stay for what the user left out."""
    arguments = version(engine_args={"max_model_len": 512, "dtype": "float16"}).engine_kwargs()
    assert (arguments["max_model_len"], arguments["dtype"]) == (512, "float16")
    assert (arguments["enforce_eager"], arguments["enable_auto_tool_choice"]) == (True, True)


@pytest.mark.parametrize(("gpus", "parallel"), [(1, None), (4, 4)])
def test_a_gpu_version_is_split_over_its_gpus_and_free_of_the_cpus_limits(gpus: int, parallel: int | None) -> None:
    """vLLM itself knows a GPU best; only the number of them is ours to say."""
    arguments = version(device="gpu", gpus=gpus).engine_kwargs()
    assert arguments.get("tensor_parallel_size") == parallel
    assert not {"enforce_eager", "max_model_len", "max_num_seqs", "dtype"} & arguments.keys()


def test_the_users_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger KV cache is one environment variable away."""
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "8")
    monkeypatch.delenv("VLLM_CPU_OMP_THREADS_BIND", raising=False)
    environment = cpu_environment()
    assert environment["VLLM_CPU_KVCACHE_SPACE"] == "8"
    assert environment["VLLM_CPU_OMP_THREADS_BIND"] == "auto"


@pytest.mark.parametrize("installed", [True, False])
def test_intel_openmp_is_loaded_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: bool
) -> None:
    """vLLM's workers start with it; a machine without it must not be given a path that does not exist."""
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    library = tmp_path / "libiomp5.so"
    if installed:
        library.touch()
    assert cpu_environment(tmp_path).get("LD_PRELOAD") == (str(library) if installed else None)


def test_an_unknown_field_of_a_version_is_refused() -> None:
    """A typo in a rendered config must not be ignored in silence."""
    with pytest.raises(ValidationError):
        version(gpu=2)
