"""Prompts and answers that fit a model's context together."""

from __future__ import annotations

from deployments.planner.planning.config import ModelPlanning
from deployments.planner.planning.room import CHARS_PER_TOKEN, Room
from tests.deployments.planner.planning.capabilities import CHAT


def test_a_small_context_has_room_for_prompt_faulty_answer_and_repair() -> None:
    """Else the engine refuses the prompt: it counts `max_tokens` as if they were there."""
    small = CHAT.model_copy(update={"max_model_len": 2048})
    room = Room.of(ModelPlanning(), [small], "chat")
    assert room.prompt // CHARS_PER_TOKEN + room.repair // CHARS_PER_TOKEN + room.max_tokens <= 2048
    assert (room.max_tokens, room.steps) == (512, 5)
    assert room.text < room.max_tokens


def test_a_large_or_unknown_context_is_used_as_far_as_is_configured() -> None:
    """And no further."""
    config = ModelPlanning(max_tokens=100, max_prompt_chars=5000)
    for length in (None, 32_768):
        room = Room.of(config, [CHAT.model_copy(update={"max_model_len": length})], "chat")
        assert (room.prompt, room.max_tokens, room.text) == (5000, 100, 400)
