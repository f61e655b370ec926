"""What a disk may do to a file: pages overwritten, single bits turned, its end lost, or all of it."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
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
    """Turn a bit in every occurrence of `words`, in the file and nowhere else in it; how many."""
    content = bytearray(file.read_bytes())
    places, place = [], content.find(words)
    while place >= 0:
        places.append(place)
        content[place + dice.randrange(len(words))] ^= 1
        place = content.find(words, place + len(words))
    file.write_bytes(content)
    return len(places)


def fold(file: Path) -> None:
    """Fold a database's write-ahead log into its file, as a polite end does."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
