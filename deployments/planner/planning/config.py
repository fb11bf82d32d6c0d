"""How plans are made, and what one may be."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from autoglm.contract.field import ModelName, Positive

Maker = Literal["auto", "rules", "model"]


class Section(BaseModel):
    """The base of this file: unknown keys refused, values fixed."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class PlanLimits(Section):
    """What a plan may be, whoever made it. Its model steps are what it costs: each may write a whole answer."""

    max_steps: int = Field(default=200, ge=1, le=1000)
    max_model_steps: int = Field(default=20, ge=0, le=1000)
    max_bytes: int = Field(default=1 << 20, ge=1)  # of its JSON text


class ModelPlanning(Section):
    """How a model is asked for plans.

    `tools` are those that a prompt shows, the nearest to the instruction; `max_repairs` how often a faulty plan is
    shown to the model with its faults. A tool that fits less than `min_fit` is not taken to fit at all: of 10 tools,
    the best is above 0.3 for 97 % of BFCL's questions with a tool that is meant for them, and for 4 % of MT-bench's
    and Vicuna's.
    """

    tools: int = Field(default=8, ge=1, le=100)
    min_fit: float = Field(default=0.3, ge=-1, le=1)
    max_repairs: int = Field(default=2, ge=0, le=10)
    max_steps: int = Field(default=16, ge=1, le=200)  # of a plan that a model writes
    max_tokens: Positive = 1024
    max_prompt_chars: int = Field(default=24_000, ge=1000)  # about 6,000 tokens of English
    timeout_s: float = Field(default=60.0, gt=0, allow_inf_nan=False)


class PlanningConfig(Section):
    """Who makes plans: with `auto` rules where they understand the instruction, else `model`; or one of both alone.

    Without a `model` the first that generates text is asked, with `auto` only for tools that rules know nothing of:
    the embedded one is too small to do better than rules where these give up. What one tool, task or chat answers alone
    is not planned, whoever plans.

    A `scanner` reads every result that is about to enter a prompt, and keeps those from it that were written to steer a
    model.
    """

    planner: Maker = "auto"
    model: ModelName | None = None
    encoder: Literal["wordllama", "e5"] = "wordllama"
    scanner: Literal["nanoguard"] | None = None
    limits: PlanLimits = PlanLimits()
    asking: ModelPlanning = ModelPlanning()
