"""Semantic routing on BANKING77: `python -m benchmarks.routing`."""
