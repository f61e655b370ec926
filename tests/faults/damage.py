"""What a disk may do to a file: pages overwritten, single bits turned, its end lost, or all of it."""

from __future__ import annotations

import random
import re
from pathlib import Path

PAGE = 4096


def truncate(file: Path, part: float = 0.5) -> None:
    """Keep the first `part` of a file, to the byte."""
    with file.open("r+b") as opened:
        opened.truncate(int(file.stat().st_size * part))


def flip_bits(file: Path, dice: random.Random, every: int = PAGE, start: int = 0) -> int:
    """Turn one bit in every so many bytes from `start` on; how many."""
    content = bytearray(file.read_bytes())
    places = [first + dice.randrange(min(every, len(content) - first)) for first in range(start, len(content), every)]
    for place in places:
        content[place] ^= 1 << dice.randrange(8)
    file.write_bytes(content)
    return len(places)


def scramble_pages(file: Path, dice: random.Random, part: float = 0.3, first: int = 1) -> int:
    """Overwrite that part of a file's pages, those before `first` left out, with noise; how many."""
    content = bytearray(file.read_bytes())
    pages = range(first, len(content) // PAGE)
    chosen = dice.sample(pages, max(1, int(len(pages) * part)))
    for page in chosen:
        content[page * PAGE : (page + 1) * PAGE] = dice.randbytes(PAGE)
    file.write_bytes(content)
    return len(chosen)


def overwrite(file: Path, dice: random.Random) -> None:
    """Noise of the same length."""
    file.write_bytes(dice.randbytes(max(file.stat().st_size, PAGE)))


def turn_words(file: Path, words: bytes, dice: random.Random) -> int:
    """Turn a bit in every occurrence of `words`, and nowhere else; how many."""
    content = bytearray(file.read_bytes())
    places = [found.start() for found in re.finditer(re.escape(words), bytes(content))]
    for place in places:
        content[place + dice.randrange(len(words))] ^= 1
    file.write_bytes(content)
    return len(places)


def turn_once(file: Path, words: bytes, dice: random.Random) -> None:
    """Turn a bit in one occurrence of `words`."""
    content = bytearray(file.read_bytes())
    places = [found.start() for found in re.finditer(re.escape(words), bytes(content))]
    content[dice.choice(places) + dice.randrange(len(words))] ^= 1
    file.write_bytes(content)
