"""Sabotages that `make mutants ARGS=--quick` tries: one for each promise that the program makes, by mutant's name."""

from __future__ import annotations

SABOTAGES: dict[str, str] = {}
