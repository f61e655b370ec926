"""A highlight is the fragment with most of the query's words, its ranges in UTF-16 units, at any place of any text."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from chorale.domain import highlights
from chorale.domain.highlights import FRAGMENT_CHARS, Fragment, best_fragment

FILLER = "and so it goes on for quite a while with other words entirely " * 20


def words(fragment: Fragment) -> list[str]:
    units = fragment.text.encode("utf-16-le")
    return [units[2 * start : 2 * end].decode("utf-16-le") for start, end in fragment.ranges]


def test_it_surrounds_the_best_match() -> None:
    """Two different words close together beat one word earlier."""
    fragment = best_fragment(f"A bridge. {FILLER} The stone Bridge stands. {FILLER}", "stone bridge")
    assert words(fragment) == ["stone", "Bridge"]
    assert len(fragment.text) <= FRAGMENT_CHARS


def test_whole_words_only() -> None:
    """A word inside another is none; case does not matter."""
    assert words(best_fragment("Abridged bridges: a BRIDGE.", "bridge")) == ["BRIDGE"]


def test_without_a_match_it_is_the_start() -> None:
    """Found by meaning alone: the text's beginning, no ranges."""
    fragment = best_fragment(FILLER, "unrelated")
    assert FILLER.startswith(fragment.text) and fragment.ranges == ()


def test_astral_characters_count_twice() -> None:
    """Ranges are what JavaScript's slice takes."""
    assert best_fragment("🌉🌉 bridge", "bridge") == Fragment("🌉🌉 bridge", ((5, 11),))


@given(st.text(max_size=600), st.text(max_size=40))
def test_any_text_gives_a_fragment_of_itself(text: str, query: str) -> None:
    """The fragment is a piece of the text, and every range cuts one of the query's words out of it."""
    text, query = (value.encode("utf-8", "ignore").decode() for value in (text, query))
    fragment = best_fragment(text, query)
    assert fragment.text in text
    assert all(word.casefold() in query.casefold() for word in words(fragment))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d" * 70, "e" * 170]), st.integers(1, 90)), min_size=1))
def test_the_densest_window_is_the_one_that_trying_all_finds(placed: list[tuple[str, int]]) -> None:
    """Most different words, then most words, then first."""
    matches, at = [], 0
    for word, gap in placed:
        matches.append(highlights._Match(at, at + len(word), word))
        at += len(word) + gap
    window = FRAGMENT_CHARS - highlights._LEAD_CHARS

    def weight(first: highlights._Match) -> tuple[int, int]:
        inside = [it.word for it in matches if it.start >= first.start and it.end - first.start <= window]
        return len(set(inside)), len(inside)

    assert highlights._densest(matches) is max(matches, key=weight)  # of equals max takes the first


def test_a_text_of_nothing_but_matches_takes_no_longer() -> None:
    """The largest body, each of its words a match."""
    began = time.process_time()
    best_fragment("a " * 8_192, "a")
    assert time.process_time() - began < 0.1
