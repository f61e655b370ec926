"""The scenario's first half: whatever can happen to a thread while windows are open, and what the admin does."""

from __future__ import annotations

from solders.instruction import Instruction

from chorale.domain.program_errors import ProgramError as E
from tests.chains import MINIMUM_STAKE
from tests.program.scenario.deployment import HEIR, STRANGER, TOO_FEW_TOKENS, configure, withdraw
from tests.program.scenario.moves import STAKE, Moves, new_play
from tests.program.scenario.people import deposit, furnish, keypair, make_account, tokens_of
from tests.program.scenario.port import Chain
from tests.program.scenario.transcript import Play, Step

SPONSOR, ANA, BEN, CLEO, DORA = (f"life {name}" for name in ("sponsor", "ana", "ben", "cleo", "dora"))


async def live(chain: Chain) -> list[Step]:
    """A thread from its creation until its last co-author has divested, and the admin's instructions."""
    people = (ANA, BEN, CLEO, DORA)
    await furnish(chain, (*people, "admin"), sponsor=SPONSOR)
    other = await make_account(chain, "life other account of cleo", CLEO)
    play = new_play(chain, SPONSOR, *people, HEIR, STRANGER)
    play.names[other] = "other account of cleo"
    thread = Moves(play, ANA, SPONSOR)
    thread.name_accounts("thread")
    await configure(play)
    await _begin(play, thread)
    await _join(play, thread)
    await _deny(play, thread, other)
    await _cancel(play, thread, other)
    await _leave(play, thread)
    await _sweep(play, thread)
    await withdraw(play, STAKE, CLEO)
    await play.settle()
    return play.steps


async def _begin(play: Play, thread: Moves) -> None:
    ana, ben = keypair(ANA), keypair(BEN)
    create = thread.create()
    longer = Instruction(create.program_id, bytes(create.data) + b"\x00", create.accounts)
    play.refuses("trailing bytes", E.INVALID_INSTRUCTION_DATA, longer, ana)
    await play.does("new", create, ana)
    play.refuses("a second time", E.INVALID_ACCOUNT, create, ana)
    play.refuses("an outsider", E.NOT_A_CO_AUTHOR, thread.post(BEN, "stray"), ben)
    await play.does("a co-author", thread.post(ANA, "posted"), ana)
    play.refuses("a co-author", E.ALREADY_A_CO_AUTHOR, thread.submit(ANA, "stray"), ana)
    play.refuses("too low a stake", E.STAKE_TOO_LOW, thread.submit(BEN, "stray", stake=MINIMUM_STAKE - 1), ben)
    play.refuses("too long a wait", E.EXPIRES_TOO_LATE, thread.submit(BEN, "stray", max_expires_at=1), ben)
    play.refuses("another's tokens", E.UNAUTHORIZED, thread.submit(BEN, "stray", source=CLEO), ben)
    play.refuses("more than there is", TOO_FEW_TOKENS, thread.submit(BEN, "stray", stake=10**12), ben)
    await play.does("an outsider", thread.submit(BEN, "joining"), ben)
    await play.does("another outsider", thread.submit(CLEO, "grown"), keypair(CLEO))


async def _join(play: Play, thread: Moves) -> None:
    ana, ben, cleo = keypair(ANA), keypair(BEN), keypair(CLEO)
    play.refuses("the author", E.OWN_MESSAGE, thread.vote(BEN, "joining"), ben)
    play.refuses("an outsider", E.NOT_A_CO_AUTHOR, thread.vote(CLEO, "joining"), cleo)
    await play.does("publishes and seats the author", thread.vote(ANA, "joining"), ana)
    play.refuses("decided", E.NOT_PENDING, thread.vote(ANA, "joining"), ana)
    await play.does("undecided", thread.vote(ANA, "grown"), ana)
    play.refuses("twice", E.ALREADY_VOTED, thread.vote(ANA, "grown", approve=False), ana)
    play.refuses("voted on", E.HAS_VOTES, thread.cancel(CLEO, "grown"), cleo)
    await play.does("beyond the room, publishes", thread.vote(BEN, "grown"), ben)


async def _deny(play: Play, thread: Moves, other: str) -> None:
    dora = keypair(DORA)
    await play.does("to be denied", thread.submit(DORA, "denied"), dora)
    for voter in (ANA, BEN):
        await play.does("denied by one", thread.vote(voter, "denied", approve=False), keypair(voter))
    play.refuses("undecided", E.NOTHING_OWED, thread.claim(ANA, "denied"))
    await play.does("denies", thread.vote(CLEO, "denied", approve=False), keypair(CLEO))
    play.refuses("no denier", E.NOT_A_DENIER, thread.claim(DORA, "denied"))
    play.refuses("elsewhere, unsigned", E.INVALID_DESTINATION, thread.claim(CLEO, "denied", to=other))
    play.refuses("into another's", E.INVALID_DESTINATION, thread.claim(BEN, "denied", to=tokens_of(ANA)))
    play.refuses("denied", E.NOTHING_OWED, thread.refund(DORA, "denied"))
    await play.does("by anybody", thread.claim(BEN, "denied"))
    play.refuses("twice", E.ALREADY_CLAIMED, thread.claim(BEN, "denied"))
    await play.does("by the payee, elsewhere", thread.claim(CLEO, "denied", to=other, signs=True), keypair(CLEO))
    await play.does("to be split", thread.submit(DORA, "split"), dora)
    for voter, approve in ((ANA, True), (BEN, False)):
        await play.does("one of both", thread.vote(voter, "split", approve=approve), keypair(voter))
    await play.does("splits", thread.vote(CLEO, "split"), keypair(CLEO))


async def _cancel(play: Play, thread: Moves, other: str) -> None:
    dora = keypair(DORA)
    await play.does("to be cancelled", thread.submit(DORA, "cancelled"), dora)
    play.refuses("not the author", E.UNAUTHORIZED, thread.cancel(ANA, "cancelled"), keypair(ANA))
    play.refuses("still open", E.WINDOW_OPEN, thread.expire("cancelled"))
    play.refuses("still pending", E.NOTHING_OWED, thread.refund(DORA, "cancelled"))
    await play.does("by the author", thread.cancel(DORA, "cancelled"), dora)
    play.refuses("cancelled", E.NOT_PENDING, thread.cancel(DORA, "cancelled"), dora)
    play.refuses("cancelled", E.NOT_PENDING, thread.resolve("cancelled"))
    play.refuses("cancelled", E.NOT_PENDING, thread.expire("cancelled"))
    play.refuses("to another payee", E.UNAUTHORIZED, thread.refund(ANA, "cancelled"))
    elsewhere = thread.refund(DORA, "cancelled", to=other, signs=True)
    play.refuses("another's account", E.INVALID_DESTINATION, elsewhere, dora)
    await play.does("by anybody", thread.refund(DORA, "cancelled"))
    play.refuses("twice", E.NOTHING_OWED, thread.refund(DORA, "cancelled"))


async def _leave(play: Play, thread: Moves) -> None:
    ana, ben, cleo, dora = (keypair(name) for name in (ANA, BEN, CLEO, DORA))
    await play.does("to be resolved", thread.submit(DORA, "resolved"), dora)
    for voter in (ANA, BEN):
        await play.does("one still missing", thread.vote(voter, "resolved"), keypair(voter))
    await play.does("nothing to decide", thread.resolve("resolved"))
    play.refuses("for too much", E.PAYOUT_TOO_LOW, thread.divest(CLEO, STAKE), cleo)
    play.refuses("an outsider", E.NOT_A_CO_AUTHOR, thread.divest(DORA), dora)
    await play.does("one of three", thread.divest(CLEO, 1), cleo)
    play.refuses("who has left", E.NOT_A_CO_AUTHOR, thread.divest(CLEO), cleo)
    await play.does("publishes and seats the author", thread.resolve("resolved"))
    await play.does("one of three", thread.divest(BEN), ben)
    await play.does("one of two", thread.divest(ANA), ana)
    await play.does("for one who has left", thread.claim(ANA, "denied"))
    await play.does("the last, who stays", thread.divest(DORA), dora)
    await play.does("the last, of nothing", thread.divest(DORA), dora)


async def _sweep(play: Play, thread: Moves) -> None:
    await deposit(play.chain, play.payer, CLEO, CLEO, thread.vault, 5)
    await play.does("what is due, and an unasked deposit", thread.sweep())
    play.refuses("twice", E.NOTHING_OWED, thread.sweep())
