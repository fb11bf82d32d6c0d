"""Decisions by examples: what they choose, when they abstain, and what they explain."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.meaning import Encoder
from deployments.meaning.encoder import Vectors
from deployments.meaning.text import MAX_CHARS
from deployments.router.semantic import RouteIndex
from tests.deployments.router.semantic.conftest import routing

PARAPHRASES = {
    "hello, how do you do": "small-talk",
    "thank you very much": "small-talk",
    "I wish you a good morning": "small-talk",
    "please write a function in Rust that reverses a string": "programming",
    "there is a bug in this code": "programming",
    "sort this Python list of numbers": "programming",
    "an awful film with a boring plot": "mood",
    "is this movie review good or bad": "mood",
    "such a wonderful book": "mood",
}
SEED = 4
KEYS_BESIDE = {"a": "s", "e": "r", "i": "o", "n": "m", "o": "p", "r": "t", "s": "d", "t": "y"}


def swap(text: str, at: int) -> str:
    return text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :]


def drop(text: str, at: int) -> str:
    return text[:at] + text[at + 1 :]


def double(text: str, at: int) -> str:
    return text[:at] + text[at] + text[at:]


def neighbour_key(text: str, at: int) -> str:
    return text[:at] + KEYS_BESIDE.get(text[at], text[at]) + text[at + 1 :]


@pytest.mark.parametrize(("text", "route"), PARAPHRASES.items())
def test_a_paraphrase_goes_where_its_examples_go(index: RouteIndex, text: str, route: str) -> None:
    """None of these texts is an example."""
    decision = index.decide(text)
    assert (decision.route, decision.abstained) == (route, False)


@pytest.mark.parametrize("slip", [swap, drop, double, neighbour_key])
def test_a_typo_does_not_flip_a_decision(index: RouteIndex, slip: Callable[[str, int], str]) -> None:
    """A slip at eight random places of each paraphrase; at most one in ten may become too doubtful to route."""
    chosen = random.Random(SEED)
    routes = []
    for text, route in PARAPHRASES.items():
        places = [place for place, letter in enumerate(text) if letter.isalpha()]
        decisions = [index.decide(slip(text, chosen.choice(places))) for _ in range(8)]
        assert {decision.candidates[0].route for decision in decisions} == {route}, text
        routes += [decision.route for decision in decisions]
    assert routes.count(None) <= len(routes) / 10


@pytest.mark.parametrize(
    "text", ["what is the capital of France?", "photosynthesis in plants", "1 2 3", "今天下午", ""]
)
def test_a_text_like_no_example_goes_to_the_abstain_model(index: RouteIndex, text: str) -> None:
    """The nearest route is still not near; it is named as a candidate and not taken."""
    decision = index.decide(text)
    assert (decision.route, decision.model, decision.task, decision.abstained) == (None, "general", None, True)
    assert decision.confidence < 0.5


def test_an_empty_text_is_like_nothing(index: RouteIndex) -> None:
    """It is not compared at all; that its letters are none must not make it likest to the shortest example."""
    decision = index.decide(" \n")
    assert (decision.reason, decision.confidence, decision.candidates) == ("the text is empty", 0.0, ())


def test_without_an_abstain_model_an_undecided_text_goes_nowhere(encoder: Encoder) -> None:
    """The router then refuses it, instead of guessing."""
    decision = RouteIndex(routing(abstain=None), encoder).decide("what is the capital of France?")
    assert (decision.model, decision.task, decision.abstained) == (None, None, True)


def test_a_threshold_of_a_routes_own_takes_the_common_ones_place(encoder: Encoder) -> None:
    """One route may be stricter than the others."""
    declared = routing().model_dump()
    declared["routes"][1]["threshold"] = 1.0
    decision = RouteIndex(routing(routes=declared["routes"]), encoder).decide("fix a bug in my code")
    assert decision.abstained
    assert decision.candidates[0].route == "programming"
    assert decision.reason == f"confidence {decision.confidence:.2f} is below the threshold 1.00"


def test_two_routes_that_score_alike_are_a_tie(encoder: Encoder) -> None:
    """A text between two routes is not theirs to toss a coin for, however confident the model is of either."""
    config = routing(threshold=0.0, margin=1.0)
    decision = RouteIndex(config, encoder).decide("such a wonderful book")
    assert decision.abstained
    assert "within the margin 1.000" in decision.reason


def test_kind_leaves_out_the_routes_that_a_request_cannot_take(index: RouteIndex) -> None:
    """`task: auto` cannot go to a chat model, nor a chat to a task; for an undecided prediction no model would do."""
    as_chat = index.decide("the film was great", "model")
    assert {candidate.model for candidate in as_chat.candidates} == {"chat", "coder"}
    assert as_chat.abstained
    as_task = index.decide("write a python function", "task")
    assert [candidate.route for candidate in as_task.candidates] == ["mood"]
    assert (as_task.abstained, as_task.model, as_task.task) == (True, None, None)
    assert index.decide("I hated that film", "task").task == "sentiment"


def test_a_kind_without_routes_is_an_abstention_that_says_so(encoder: Encoder) -> None:
    """Nothing is declared for tasks: that is not an error of the text's."""
    config = routing(routes=[routing().routes[0].model_dump()])
    assert RouteIndex(config, encoder).decide("hi", "task").reason == "no route leads to a task"


def test_one_route_alone_still_abstains(encoder: Encoder) -> None:
    """With nothing to compare it to, a text must be near the examples themselves."""
    declared = [{"name": "small-talk", "model": "chat", "examples": ["hi", "how are you?"]}]
    index = RouteIndex(routing(routes=declared), encoder)
    assert index.decide("how are you today?").route == "small-talk"
    assert index.decide("what is the capital of France?").abstained


def test_a_decision_explains_itself(index: RouteIndex) -> None:
    """The three best routes in order, and the example that speaks for the first, as it was declared."""
    decision = index.decide("How do I SORT a list in java")
    assert decision.model == "coder"
    assert decision.candidates[0].route == "programming"
    scores = [candidate.score for candidate in decision.candidates]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3
    assert decision.nearest is not None
    assert (decision.nearest.route, decision.nearest.text) == ("programming", "how do I sort a list in Java?")
    assert 0.9 < decision.nearest.similarity <= 1


def test_no_similarity_is_above_one(index: RouteIndex) -> None:
    """An example is as like itself as can be; single precision rounds some a little higher."""
    decisions = [index.decide(text) for route in routing().routes for text in route.examples]
    similarities = [decision.nearest.similarity for decision in decisions if decision.nearest]
    assert len(similarities) == 15
    assert 0.999 < min(similarities) <= max(similarities) <= 1


@settings(deadline=None)
@given(st.text(max_size=2 * MAX_CHARS))
def test_any_text_gets_a_decision_with_a_confidence_in_range(index: RouteIndex, text: str) -> None:
    """Control characters, half surrogate pairs and every script included."""
    decision = index.decide(text)
    assert 0 <= decision.confidence <= 1
    assert decision.abstained == (decision.route is None)


def test_what_stands_behind_the_first_characters_is_not_read(index: RouteIndex) -> None:
    """Time is bounded, whatever a request brings."""
    question = "fix this bug in my code " + "x" * MAX_CHARS
    assert index.decide(question + " the film was great" * 100) == index.decide(question)


class IgnorantEncoder:
    """Knows no token of any text."""

    inline = True
    words = ()

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), 8), np.float32)


def test_where_the_encoder_knows_no_word_the_letters_decide() -> None:
    """Names and codes have no meaning to it, and two slips in a word leave none."""
    index = RouteIndex(routing(), IgnorantEncoder())
    assert index.decide("expalin the stakc traces").candidates[0].route == "programming"
    assert index.decide("a wonderfull buk").candidates[0].route == "mood"


class NotingEncoder:
    """The embedded one; notes the threads that it is called in."""

    def __init__(self, encoder: Encoder, *, inline: bool) -> None:
        self._encoder = encoder
        self.inline = inline
        self.words = encoder.words
        self.threads: list[int] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.threads.append(threading.get_ident())
        return self._encoder.encode(texts)


@pytest.mark.parametrize("inline", [True, False])
async def test_only_a_fast_encoder_runs_in_the_event_loop(encoder: Encoder, inline: bool) -> None:
    """e5 takes milliseconds a text, in which the router would answer nobody; the embedded one less than a thread."""
    noting = NotingEncoder(encoder, inline=inline)
    index = RouteIndex(routing(), noting)
    assert (await index.route("I hated that film", "task")).task == "sentiment"
    assert (noting.threads[-1] == threading.get_ident()) == inline
