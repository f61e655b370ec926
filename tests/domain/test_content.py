"""Text is taken in the form that is hashed, and what cannot be stored is refused with the cure."""

from __future__ import annotations

import pytest

from chorale.domain.content import MAX_BODY_BYTES, MAX_TITLE_BYTES, body_problem, normalise


def test_text_is_composed() -> None:
    """Decomposed letters become one, and a second pass changes nothing."""
    assert normalise("u\u0308ber") == "über"
    assert normalise(normalise("e\u0301")) == normalise("e\u0301")


@pytest.mark.parametrize("body", ["a", "  a\n", "ü" * (MAX_BODY_BYTES // 2), "𝄞", "a" * MAX_BODY_BYTES])
def test_ordinary_text_is_taken(body: str) -> None:
    """Up to the limit of UTF-8 bytes, anything visible can be stored."""
    assert body_problem(body) is None


@pytest.mark.parametrize(
    ("body", "cure"),
    [
        ("", "at least one visible character"),
        (" \n\t\u2003", "at least one visible character"),
        ("a" * (MAX_BODY_BYTES + 1), "Shorten or split"),
        ("ü" * (MAX_BODY_BYTES // 2) + "a", "Shorten or split"),
        ("a\x00b", "NUL"),
        ("a\ud800", "surrogates"),
    ],
)
def test_other_text_is_refused_with_the_cure(body: str, cure: str) -> None:
    """Empty, overlong and unencodable text is refused by a sentence that says what to do."""
    assert cure in (body_problem(body) or "")


def test_titles_have_a_limit_of_their_own() -> None:
    """The limit is counted in bytes and may be another."""
    assert body_problem("a" * MAX_TITLE_BYTES, MAX_TITLE_BYTES) is None
    assert str(MAX_TITLE_BYTES) in (body_problem("a" * (MAX_TITLE_BYTES + 1), MAX_TITLE_BYTES) or "")
