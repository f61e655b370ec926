"""Benchmarks: what the project costs, beside what its peers cost."""
