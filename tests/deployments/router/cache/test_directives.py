"""The request's cache-control header."""

from __future__ import annotations

import pytest

from deployments.router.cache import ANYTHING, CacheDirectives, directives_of


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, ANYTHING),
        ("", ANYTHING),
        ("no-store", CacheDirectives(no_store=True)),
        ("No-Cache, max-age=0", CacheDirectives(no_cache=True, max_age_s=0)),
        ('max-age="60"', CacheDirectives(max_age_s=60)),
        ("max-age=60,max-age=5", CacheDirectives(max_age_s=5)),
        ("max-age=99999999999999999999999", CacheDirectives(max_age_s=2**31)),
        ("max-stale=5, only-if-cached, min-fresh=1, x-own=1", ANYTHING),
        ("max-age, max-age=, max-age=-1, max-age=1.5, max-age = 3, max-age=٣, no-storex, ,=", ANYTHING),
        ('extension="no-store, max-age=1", no-cache', CacheDirectives(no_cache=True)),
        ('extension="unfinished, no-store', ANYTHING),
    ],
)
def test_a_header_means_what_the_rfc_says(header: str | None, expected: CacheDirectives) -> None:
    """Names in any case, arguments quoted or not, the rest ignored."""
    assert directives_of(header) == expected
