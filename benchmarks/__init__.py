"""Benchmarks: each compares in one run, prints one table, and says on what it ran."""
