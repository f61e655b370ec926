"""The scenario's first half: the deployment set up, and whatever can happen to a thread while windows are open."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.keypair import Keypair

from chorale.domain.program_errors import ProgramError as E
from programs import instructions
from programs.interface import INSTRUCTIONS
from tests.chains import APPROVAL_WINDOW, MINIMUM_STAKE
from tests.program.altered import with_meta
from tests.program.scenario.moves import STAKE, Moves
from tests.program.scenario.people import (
    ADDRESSES,
    ADMIN,
    FREEZABLE,
    MINT,
    PROGRAM,
    deposit,
    furnish,
    key,
    keypair,
    make_account,
    make_mint,
    tokens_of,
)
from tests.program.scenario.port import Chain
from tests.program.scenario.transcript import Play, Step

SPONSOR, ANA, BEN, CLEO = (f"life {name}" for name in ("sponsor", "ana", "ben", "cleo"))
DORA, HEIR, SLY = (f"life {name}" for name in ("dora", "heir", "sly"))
_TOO_FEW_TOKENS = 1  # of the SPL Token program


def new_play(chain: Chain, *names: str, window: int = APPROVAL_WINDOW, apart: frozenset[str] = frozenset()) -> Play:
    """A play at the cost of the first of these people, with everybody's addresses named."""
    known = {key(name): name for name in names} | {tokens_of(name): f"tokens of {name}" for name in names}
    known |= {
        str(ADMIN.pubkey()): "admin",
        str(MINT.pubkey()): "mint",
        ADDRESSES.protocol(): "protocol",
        ADDRESSES.treasury(): "treasury",
        tokens_of("admin"): "tokens of admin",
    }
    return Play(chain, ADDRESSES, keypair(names[0]), window, known, apart)


async def set_up(chain: Chain) -> list[Step]:
    """initialize, which happens once and only as it should. Needs a chain on which it has not happened."""
    await furnish(chain, (), sponsor=SPONSOR)
    await make_mint(chain, FREEZABLE, ADMIN.pubkey())
    play = new_play(chain, SPONSOR)
    both, right = (ADMIN, PROGRAM), initialisation(SPONSOR)
    freezable = initialisation(SPONSOR, mint=FREEZABLE)
    play.refuses("a mint that can be frozen", E.FREEZABLE_MINT, freezable, *both)
    for title, window in (("too short a window", 3_599), ("too long a window", 2_592_001)):
        play.refuses(title, E.PARAMETER_OUT_OF_RANGE, initialisation(SPONSOR, window=window), *both)
    play.refuses("without the program's key", E.UNAUTHORIZED, unsigned(right, "program_key"), ADMIN)
    await play.does("as it should", right, *both)
    play.refuses("again", E.INVALID_ACCOUNT, right, *both)
    await play.settle()
    return play.steps


def initialisation(payer: str, *, mint: Keypair = MINT, window: int = APPROVAL_WINDOW) -> Instruction:
    """initialize, for the scenario's admin."""
    return instructions.initialize(
        ADDRESSES,
        payer=key(payer),
        admin=str(ADMIN.pubkey()),
        mint=str(mint.pubkey()),
        minimum_stake=MINIMUM_STAKE,
        approval_window=window,
    )


async def live(chain: Chain) -> list[Step]:
    """A thread from its creation until its last co-author has divested, and the admin's instructions."""
    people = (ANA, BEN, CLEO, DORA)
    await furnish(chain, (*people, "admin"), sponsor=SPONSOR)
    other = await make_account(chain, "life other account of cleo", CLEO)
    play = new_play(chain, SPONSOR, *people, HEIR, SLY)
    play.names[other] = "other account of cleo"
    thread = Moves(play, ANA, SPONSOR)
    thread.name_accounts("thread")
    await _configure(play)
    await _begin(play, thread)
    await _join(play, thread)
    await _deny(play, thread, other)
    await _cancel(play, thread, other)
    await _leave(play, thread)
    await _sweep(play, thread)
    return play.steps


async def _configure(play: Play) -> None:
    def configure(admin: str, new: str, stake: int, window: int = APPROVAL_WINDOW) -> Instruction:
        return instructions.configure(
            ADDRESSES, admin=admin, new_admin=new, minimum_stake=stake, approval_window=window
        )

    admin, heir = str(ADMIN.pubkey()), keypair(HEIR)
    play.refuses("not the admin", E.UNAUTHORIZED, configure(key(SLY), key(SLY), 1), keypair(SLY))
    play.refuses("no stake", E.PARAMETER_OUT_OF_RANGE, configure(admin, admin, 0), ADMIN)
    play.refuses("too short a window", E.PARAMETER_OUT_OF_RANGE, configure(admin, admin, 1, 3_599), ADMIN)
    await play.does("another admin", configure(admin, key(HEIR), 7, 3_600), ADMIN, heir)
    play.refuses("the admin before", E.UNAUTHORIZED, configure(admin, admin, 1), ADMIN)
    await play.does("and back", configure(key(HEIR), admin, MINIMUM_STAKE), heir, ADMIN)


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
    play.refuses("more than there is", _TOO_FEW_TOKENS, thread.submit(BEN, "stray", stake=10**12), ben)
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

    def withdraw(amount: int, admin: str = "admin", to: str = "admin") -> Instruction:
        return instructions.withdraw_treasury(ADDRESSES, admin=key(admin), destination=tokens_of(to), amount=amount)

    play.refuses("not the admin", E.UNAUTHORIZED, withdraw(1, CLEO, CLEO), keypair(CLEO))
    play.refuses("nothing", E.PARAMETER_OUT_OF_RANGE, withdraw(0), ADMIN)
    play.refuses("to another", E.INVALID_DESTINATION, withdraw(1, to=CLEO), ADMIN)
    play.refuses("more than there is", _TOO_FEW_TOKENS, withdraw(10**12), ADMIN)
    await play.does("by the admin", withdraw(STAKE), ADMIN)
    await play.settle()


def unsigned(instruction: Instruction, role: str) -> Instruction:
    """The same instruction, for which the account in the place `role` does not sign."""
    spec = next(s for s in INSTRUCTIONS.values() if s.discriminator == bytes(instruction.data)[:8])
    return with_meta(instruction, [each.name for each in spec.accounts].index(role), is_signer=False)
