"""What a command tells people: progress on standard error, answers on standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable

Say = Callable[[str], None]
"""Tells one line."""


def say(text: str) -> None:
    """A line about what goes on."""
    print(text, file=sys.stderr, flush=True)


def announce(text: str) -> None:
    """A line that others read on: an address, a report."""
    print(text, flush=True)
