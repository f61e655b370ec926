"""The scenario's second half: what only passing time brings about. The window is the ledger's: seconds on a validator,
whose clock nobody can move."""

from __future__ import annotations

from chorale.domain.accounts import ProtocolAccount
from chorale.domain.program_errors import ProgramError as E
from programs import instructions
from programs.accounts import decode_protocol
from tests.program.scenario.moves import Moves, new_play
from tests.program.scenario.people import ADDRESSES, ADMIN, furnish, keypair
from tests.program.scenario.port import Chain
from tests.program.scenario.transcript import Play, Step

SPONSOR, ANA, BEN = (f"window {name}" for name in ("sponsor", "ana", "ben"))
SHORTEST = 3_600


async def shorten(chain: Chain) -> None:
    """Gives a chain whose clock can be moved the shortest window that the admin may set."""
    part = instructions.configure(
        ADDRESSES,
        admin=str(ADMIN.pubkey()),
        new_admin=str(ADMIN.pubkey()),
        minimum_stake=(await _protocol(chain)).minimum_stake,
        approval_window=SHORTEST,
    )
    outcome = await chain.send([part], [ADMIN])
    assert outcome.error is None, outcome


async def pass_the_window(chain: Chain) -> list[Step]:
    """Messages before and after their window's end, with votes and without, and a decision without any vote."""
    window = (await _protocol(chain)).approval_window
    await furnish(chain, (ANA, BEN), sponsor=SPONSOR)
    play = new_play(chain, SPONSOR, ANA, BEN, window=window, apart=frozenset({ADDRESSES.protocol()}))
    thread = Moves(play, ANA, SPONSOR)
    thread.name_accounts("thread")
    await play.does("new", thread.create(), keypair(ANA))
    await _run_out(play, thread)
    await _be_left_alone(play, thread)
    return play.steps


async def _run_out(play: Play, thread: Moves) -> None:
    ana, ben = keypair(ANA), keypair(BEN)
    await play.does("never voted on", thread.submit(BEN, "ignored"), ben)
    submitted_at = await play.chain.now()
    play.refuses("still open", E.WINDOW_OPEN, thread.expire("ignored"))
    await play.settle()
    await play.chain.pass_time(submitted_at + play.window + 1)
    play.refuses("too late", E.WINDOW_CLOSED, thread.vote(ANA, "ignored"), ana)
    play.refuses("too late", E.WINDOW_CLOSED, thread.cancel(BEN, "ignored"), ben)
    play.refuses("too late", E.WINDOW_CLOSED, thread.resolve("ignored"))
    play.refuses("not expired yet", E.NOTHING_OWED, thread.refund(BEN, "ignored"))
    await play.does("never voted on", thread.expire("ignored"))
    play.refuses("expired", E.NOT_PENDING, thread.expire("ignored"))
    play.refuses("expired", E.NOT_PENDING, thread.vote(ANA, "ignored"), ana)
    await play.does("expired, by the payee", thread.refund(BEN, "ignored", signs=True), ben)
    play.refuses("twice", E.NOTHING_OWED, thread.refund(BEN, "ignored"))
    await play.settle()


async def _be_left_alone(play: Play, thread: Moves) -> None:
    """The author joins, another of their messages is published, and the third finds nobody to vote on it."""
    ana, ben = keypair(ANA), keypair(BEN)
    for message in ("first", "second", "third"):
        await play.does(message, thread.submit(BEN, message), ben)
    await play.does("publishes and seats the author", thread.vote(ANA, "first"), ana)
    await play.does("publishes, the author is seated", thread.vote(ANA, "second"), ana)
    await play.does("one of two", thread.divest(ANA), ana)
    await play.does("nobody may vote: expires", thread.resolve("third"))
    await play.does("without a vote", thread.refund(BEN, "third"))


async def _protocol(chain: Chain) -> ProtocolAccount:
    address = ADDRESSES.protocol()
    (stored,) = await chain.accounts([address])
    assert stored is not None
    return decode_protocol(address, stored.data)
