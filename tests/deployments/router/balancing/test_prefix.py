"""Which replica a prompt is sent to for what that replica computed before."""

from __future__ import annotations

from random import Random

import pytest

from deployments.router.balancing.prefix import BLOCK_CHARS, MAX_BLOCKS, PrefixAffinity, PrefixIndex, chain

IDLE = {"a": 0, "b": 0, "c": 0}


@pytest.fixture
def affinity() -> PrefixAffinity:
    """Room for 100 blocks a replica."""
    return PrefixAffinity(100, Random(0))


def test_equal_beginnings_have_equal_hashes_up_to_where_they_part() -> None:
    """A block's hash covers all before it, so that the same words elsewhere are no match."""
    shared = "s" * 2 * BLOCK_CHARS
    one, other = chain(shared + "x" * BLOCK_CHARS), chain(shared + "y" * BLOCK_CHARS)
    assert one[:2] == other[:2]
    assert one[2] != other[2]
    assert chain(["p", "q"])[1] != chain(["q", "q"])[1]


def test_the_work_for_one_prompt_is_bounded() -> None:
    """However long it is."""
    assert len(chain("x" * (MAX_BLOCKS + 5) * BLOCK_CHARS)) == MAX_BLOCKS


def test_a_prompt_follows_its_longest_known_beginning(affinity: PrefixAffinity) -> None:
    """The replica with more of it wins over one with less, whatever the lot would say."""
    affinity.sent(chain([1, 2]), "a")
    affinity.sent(chain([1, 2, 3]), "b")
    assert {affinity.choose(chain([1, 2, 3, 4]), IDLE) for _ in range(20)} == {"b"}
    assert {affinity.choose(chain([1, 2, 9]), IDLE) for _ in range(50)} == {"a"}  # a holds less in all


def test_an_overloaded_replica_is_left_alone(affinity: PrefixAffinity) -> None:
    """Half above the mean, affinity gives way to balance; and a few requests are no overload."""
    affinity.sent(chain([1, 2]), "a")
    assert affinity.choose(chain([1, 2]), {"a": 3, "b": 0, "c": 0}) == "a"
    assert affinity.choose(chain([1, 2]), {"a": 12, "b": 10, "c": 10}) == "a"
    assert affinity.choose(chain([1, 2]), {"a": 30, "b": 10, "c": 10}) != "a"


def test_replicas_that_are_equal_in_all_take_turns_by_lot(affinity: PrefixAffinity) -> None:
    """A fixed order among those that hold the same would fill one of them first."""
    for replica in "abc":
        affinity.sent(chain([1, 2]), replica)
    assert {affinity.choose(chain([1, 2]), IDLE) for _ in range(50)} == {"a", "b", "c"}


def test_a_small_match_draws_nobody(affinity: PrefixAffinity) -> None:
    """A system prompt that all share, a twentieth of the prompt, must not send everything where it was first."""
    affinity.sent(chain([1]), "a")
    assert affinity.choose(chain([1, *range(100, 119)]), {"a": 2, "b": 1}) == "b"


def test_what_is_unknown_goes_to_the_less_loaded_of_two(affinity: PrefixAffinity) -> None:
    """Power of two choices: the most loaded of three is never taken."""
    loads = {"a": 3, "b": 1, "c": 1}
    assert {affinity.choose(chain([7]), loads) for _ in range(50)} == {"b", "c"}


def test_the_oldest_blocks_of_a_replica_are_forgotten_first_and_ends_before_beginnings() -> None:
    """As the engine's cache forgets: the beginning, which others may share, stays longest."""
    index = PrefixIndex(3)
    old = chain([1, 2, 3])
    index.sent(old, "a")
    index.sent(chain([9]), "a")
    assert index.longest(old, "a") == ({"a"}, 2)
    index.sent(old[:1], "a")
    for other in (8, 7):
        index.sent(chain([other]), "a")
    assert index.longest(old, "a") == ({"a"}, 1)
    assert index.size("a") == 3


def test_a_replica_that_is_gone_is_forgotten() -> None:
    """Its cache went with it, and its memory here must too."""
    index = PrefixIndex(10)
    index.sent(chain([1, 2]), "a")
    index.sent(chain([1]), "b")
    index.keep("b")
    assert index.longest(chain([1, 2]), "ab") == ({"b"}, 1)
    assert index.size("a") == 0
