"""Which fragment of a text shows best why it was found, and where the query's words stand in it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

FRAGMENT_CHARS = 200
_LEAD_CHARS = 40
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Fragment:
    """Plain text and half-open ranges in it, in UTF-16 code units, in order."""

    text: str
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Match:
    start: int
    end: int
    word: str


def best_fragment(text: str, query: str) -> Fragment:
    """At most about 200 characters around the most different words of the query; the text's start where none is."""
    words = {word.casefold() for word in _WORD.findall(query)}
    found = (_Match(match.start(), match.end(), match[0].casefold()) for match in _WORD.finditer(text))
    matches = [match for match in found if match.word in words]
    start = _start(text, _densest(matches).start) if matches else 0
    end = _end(text, start)
    inside = [match for match in matches if start <= match.start and match.end <= end]
    return Fragment(text[start:end], tuple(_utf16(text, start, match) for match in inside))


def _densest(matches: list[_Match]) -> _Match:
    """The match that the window with the most different words begins with; of equals the first."""
    best, most = matches[0], (0, 0)
    window: Counter[str] = Counter()
    behind = 0
    for number, first in enumerate(matches):
        while behind < len(matches) and matches[behind].end - first.start <= FRAGMENT_CHARS - _LEAD_CHARS:
            window[matches[behind].word] += 1
            behind += 1
        weight = (len(window), behind - number)
        if weight > most:
            best, most = first, weight
        if behind == number:  # longer than a window all by itself
            behind += 1
            continue
        window[first.word] -= 1
        if not window[first.word]:
            del window[first.word]
    return best


def _start(text: str, match: int) -> int:
    """A little before the match, behind a space where there is one."""
    start = max(0, match - _LEAD_CHARS)
    if start == 0:
        return 0
    space = re.compile(r"\s+").search(text, start, match)
    return space.end() if space is not None else start


def _end(text: str, start: int) -> int:
    """A fragment's length on, before a space where there is one."""
    end = start + FRAGMENT_CHARS
    if end >= len(text):
        return len(text)
    for position in range(end, end - _LEAD_CHARS, -1):
        if text[position].isspace():
            return position
    return end


def _utf16(text: str, start: int, match: _Match) -> tuple[int, int]:
    before = _units(text[start : match.start])
    return before, before + _units(text[match.start : match.end])


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
