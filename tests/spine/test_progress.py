"""The chain cursor never passes a transaction that is not settled, and always stands behind all that are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chorale.domain.projection import ChainCursor
from chorale.projection.progress import ChainProgress

THREADS = st.sets(st.sampled_from("abc"), max_size=2)


@given(st.lists(THREADS, max_size=12), st.randoms(use_true_random=False))
def test_the_cursor_stands_behind_the_longest_settled_run(touched: list[set[str]], random) -> None:  # type: ignore[no-untyped-def]
    """Whatever order threads are settled in; `cursor_after` foretells each step."""
    progress = ChainProgress()
    pending = {str(number): set(threads) for number, threads in enumerate(touched)}
    for signature, threads in pending.items():
        progress.begin(signature, int(signature), threads)

    def expected() -> ChainCursor | None:
        run = None
        for signature, threads in pending.items():
            if threads:
                break
            run = ChainCursor(signature, int(signature))
        return run

    assert progress.cursor == expected()
    steps = [(signature, thread) for signature, threads in pending.items() for thread in threads]
    random.shuffle(steps)
    for signature, thread in steps:
        before = progress.cursor
        foretold = progress.cursor_after(thread, {signature})
        progress.settle(thread, [signature, "unknown"])
        pending[signature].discard(thread)
        assert progress.cursor == expected()
        assert foretold == (progress.cursor if progress.cursor != before else None)


def test_a_transaction_met_again_does_not_move_the_cursor_back() -> None:
    """Replays and the live subscription may name the same transaction twice."""
    progress = ChainProgress()
    progress.begin("1", 1, ["a"])
    progress.begin("2", 2, [])
    progress.begin("1", 1, ["a"])
    progress.settle("a", ["1"])
    assert progress.cursor == ChainCursor("2", 2)
    progress.begin("1", 1, [])
    assert progress.knows("1", 1)
    assert progress.cursor == ChainCursor("2", 2)


def test_a_transaction_told_of_a_later_slot_is_a_new_one() -> None:
    """It was executed in one slot and recorded in another, where it may do something else; open or closed before."""
    progress = ChainProgress()
    progress.begin("1", 1, ["a"])
    progress.begin("2", 2, ["b"])
    progress.begin("1", 3, ["b"])
    progress.settle("a", ["1"])
    assert (progress.cursor, progress.oldest_open) == (None, 2)
    progress.settle("b", ["2", "1"])
    assert progress.cursor == ChainCursor("1", 3)
    assert progress.knows("1", 3)
    assert not progress.knows("1", 4)
    progress.begin("1", 4, ["a"])
    assert (progress.cursor, progress.oldest_open) == (ChainCursor("1", 3), 4)
