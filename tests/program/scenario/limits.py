"""What nobody reaches on a young ledger: full threads, full trees, worn-out counters, and a clock that runs out in
seconds. Such accounts are made in LiteSVM and preloaded, into a validator's ledger and into another LiteSVM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.rent import Rent

from chorale.domain.program_errors import ProgramError as E
from programs.accounts import THREAD_VECTOR
from programs.addresses import TOKEN_PROGRAM
from programs.interface import ACCOUNTS, HEADER, MAX_CO_AUTHORS, TREE_DEPTH
from programs.wire import Record, key_bytes
from tests.chains import APPROVAL_WINDOW, MINIMUM_STAKE
from tests.program.harness import Harness
from tests.program.scenario.deployment import initialisation
from tests.program.scenario.moves import Moves, new_play
from tests.program.scenario.people import ADDRESSES, ADMIN, MINT, PROGRAM, SOL, key, keypair, tokens_of
from tests.program.scenario.port import Chain, LiteSvmChain, Stored
from tests.program.scenario.transcript import Play, Step

SPONSOR, ANA, DORA = (f"limits {name}" for name in ("sponsor", "ana", "dora"))
SEATS = [ANA, *(f"limits seat {number}" for number in range(1, MAX_CO_AUTHORS))]
_CROWD, _FULL_TREE, _WORN = range(3)
_FAR = 2**33  # unix s: no real ledger's clock gets there
_MINT_DATA = (
    (1).to_bytes(4, "little") + bytes(ADMIN.pubkey()) + (10**15).to_bytes(8, "little") + bytes([6, 1]) + bytes(36)
)


def fresh_harness(*, preload: Mapping[str, Stored] | None = None, rent: bytes = b"") -> Harness:
    """A LiteSVM with the scenario's program, not initialised, beginning with `preload`, and with a cluster's `rent`
    sysvar."""
    keypairs: Iterator[Keypair] = iter((PROGRAM, MINT, keypair("nobody")))
    harness = Harness(initialise=False, new_keypair=lambda: next(keypairs))
    harness.svm.set_account(MINT.pubkey(), Account(0, b"", Pubkey.default()))  # the scenario makes it
    if rent:
        harness.svm.set_rent(Rent.from_bytes(rent))
    for address, stored in (preload or {}).items():
        harness.put_account(address, stored.owner, stored.data, stored.lamports)
    return harness


async def preloaded(window: int) -> dict[str, Stored]:
    """A ledger's first accounts: the program initialised with a window of so many seconds, and threads at limits."""
    harness = fresh_harness()
    chain = LiteSvmChain(harness)
    harness.put_account(str(MINT.pubkey()), TOKEN_PROGRAM, _MINT_DATA)
    for name in ("admin", SPONSOR):
        await chain.airdrop(key(name), 50 * SOL)
    for name in (ANA, DORA):
        harness.put_token_account(tokens_of(name), key(name), 10 * MINIMUM_STAKE)
    touched = {str(MINT.pubkey()), tokens_of(ANA)}

    async def must(instruction: Instruction, *signers: str) -> None:
        touched.update(str(meta.pubkey) for meta in instruction.accounts)
        outcome = await chain.send([instruction], [keypair(name) for name in (SPONSOR, *signers)])
        assert outcome.error is None, outcome

    harness.set_time(_FAR)
    await must(initialisation(SPONSOR), "admin", "program")
    for moves in (threads := _threads(new_play(chain, SPONSOR))):
        await must(moves.create(), ANA)
    crowd = threads[_CROWD]
    for message in ("denied by all", "waiting"):
        await must(crowd.submit(DORA, message), DORA)
    _seat_everybody(harness, crowd)
    for name in SEATS[1:]:
        await must(crowd.vote(name, "denied by all", approve=False), name)
        await must(crowd.vote(name, "waiting"), name)
    _write(harness, ADDRESSES.thread(threads[_FULL_TREE].thread_id), "Thread", "published_count", 2**TREE_DEPTH)
    _write(harness, ADDRESSES.thread(threads[_WORN].thread_id), "Thread", "sequence", 2**64 - 1)
    _write(harness, ADDRESSES.protocol(), "Protocol", "approval_window", window)
    accounts = dict(zip(sorted(touched), await chain.accounts(sorted(touched)), strict=True))
    # Programs belong to the runtime. Who only signs has no account.
    return {address: each for address, each in accounts.items() if each and not _is_program(harness, address)}


async def reach_limits(chain: Chain) -> list[Step]:
    """The preloaded threads: what they refuse, the 64th vote, and a message that waits for a seat."""
    play = new_play(chain, SPONSOR, *SEATS, DORA, window=APPROVAL_WINDOW, apart=frozenset({ADDRESSES.protocol()}))
    crowd, full_tree, worn = _threads(play)
    for message in ("denied by all", "waiting"):
        crowd.submit(DORA, message)
    ana, dora = keypair(ANA), keypair(DORA)
    play.refuses("full tree", E.TREE_FULL, full_tree.post(ANA, "stray"), ana)
    play.refuses("full tree", E.TREE_FULL, full_tree.submit(DORA, "stray"), dora)
    play.refuses("worn-out counter", E.MATH_OVERFLOW, worn.post(ANA, "stray"), ana)
    play.refuses("64 co-authors", E.THREAD_FULL, crowd.submit(DORA, "stray"), dora)
    await play.does("the last of 64, denies", crowd.vote(ANA, "denied by all", approve=False), ana)
    await play.does("the last of 64", crowd.claim(ANA, "denied by all"))
    await play.does("the last of 64, cannot be seated", crowd.vote(ANA, "waiting"), ana)
    await play.does("still no seat", crowd.resolve("waiting"))
    await play.does("the first of 64", crowd.divest(ANA), ana)
    await play.does("64 votes, takes the free seat", crowd.resolve("waiting"))
    return play.steps


def _threads(play: Play) -> list[Moves]:
    threads = [Moves(play, ANA, SPONSOR, nonce) for nonce in (_CROWD, _FULL_TREE, _WORN)]
    for moves, title in zip(threads, ("crowd", "full tree", "worn"), strict=True):
        moves.name_accounts(title)
    return threads


def _seat_everybody(harness: Harness, thread: Moves) -> None:
    address = ADDRESSES.thread(thread.thread_id)
    seats = b"".join(key_bytes(key(name)) + (1).to_bytes(8, "little") for name in SEATS)
    data = harness.data(address)[:THREAD_VECTOR] + len(SEATS).to_bytes(4, "little") + seats
    harness.put_account(address, str(PROGRAM.pubkey()), data)


def _write(harness: Harness, address: str, account: str, field: str, value: int) -> None:
    offset, data = 8, bytearray(harness.data(address))
    for each in (*HEADER, *ACCOUNTS[account].fixed):
        record = Record(each)
        if each.name == field:
            data[offset : offset + record.size] = record.encode({field: value})
        offset += record.size
    harness.put_account(address, str(PROGRAM.pubkey()), bytes(data))


def _is_program(harness: Harness, address: str) -> bool:
    account = harness.account(address)
    return account is not None and account.executable
