"""What every preparation does in the end: have the payer's lamports counted and an unsigned transaction made."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.approval import MessageStatus
from chorale.domain.availability import WRITES_NEED, AlwaysAvailable, Availability
from chorale.domain.commands import FeeOptions, PreparedTransaction
from chorale.domain.ports import Chain, IndexReader
from chorale.domain.program_errors import ProgramError
from chorale.domain.updates import RefusedError
from chorale.preparation.arguments import check_hash, check_key, fee_payer, priority_price
from chorale.preparation.destinations import is_missing
from chorale.preparation.snapshot import Snapshot, check_visible, protocol_in, take_snapshot
from chorale.update.program_refusals import foretold
from chorale.update.refusals import insufficient_funds, not_found
from programs.addresses import ProgramAddresses
from programs.associated import create_associated_account
from programs.fees import fee_lamports
from programs.instructions import Instruction
from programs.token_accounts import TOKEN_ACCOUNT_SIZE
from programs.transactions import compose

_MAKING_UNITS = 60_000  # for finding an associated token account's address twice, and making it
_SECONDS_PER_BLOCK = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A transaction to be: its instructions, what they take beside the fee, and what they are about.

    `units` is the most that it may consume, `rent` is in lamports.
    """

    instructions: tuple[Instruction, ...]
    snapshot: Snapshot
    payer: str
    units: int
    rent: int = 0
    thread: ThreadAccount | None = None
    thread_id: str | None = None
    content_hash: str | None = None
    nonce: int | None = None
    salt: str | None = None


@dataclass(frozen=True, slots=True)
class OnMessage:
    """A message that may be seen, its thread, and the read that they come from. `payer` pays fee and rent."""

    payer: str
    snapshot: Snapshot
    thread: ThreadAccount
    message: MessageAccount


class Preparation:
    """Reads one chain and changes nothing. Fees default to none of priority, paid by the wallet itself."""

    def __init__(
        self,
        chain: Chain,
        index: IndexReader,
        addresses: ProgramAddresses,
        availability: Availability | None = None,
    ) -> None:
        self._availability = availability or AlwaysAvailable()
        self._chain = chain
        self._index = index
        self._addresses = addresses
        self._mint: str | None = None

    async def _token(self) -> str:
        if self._mint is None:
            read = await self._chain.accounts([self._addresses.protocol()])
            self._mint = protocol_in(read.accounts[0], self._addresses.program_id).mint
        return self._mint

    async def _rent_of_new(self, snapshot: Snapshot, address: str, size: int) -> int:
        """What an account of `size` bytes still takes; lamports that somebody has sent to its address count."""
        return max(0, await self._chain.rent(size) - snapshot.lamports(address))

    async def _on_message(
        self, wallet: str, content_hash: str, fees: FeeOptions | None, viewer: str | None, *more: str
    ) -> OnMessage:
        """A message by its hash; one that neither `wallet` nor `viewer` may see does not exist. `more` are addresses
        to read along."""
        check_key(wallet, "wallet")
        check_hash(content_hash, "contentHash")
        payer = fee_payer(wallet, fees)
        found = await self._index.thread_of(content_hash)
        if found is None or found[1] is MessageStatus.STAGED:
            raise RefusedError(not_found("message"))
        thread_address = self._addresses.thread(found[0])
        address = self._addresses.message(thread_address, content_hash)
        snapshot = await take_snapshot(self._chain, [payer, thread_address, address, *more])
        thread, message = snapshot.thread(thread_address), snapshot.message(address)
        check_visible(message, thread, wallet, viewer)
        return OnMessage(payer, snapshot, thread, message)

    async def _with_account(self, draft: Draft, payee: str, mint: str) -> Draft:
        """The payout `draft` with the payee's associated token account made before, where that is missing. Refuses
        where it is there and cannot be paid into."""
        address = self._addresses.associated_token_account(payee, mint)
        if not is_missing(draft.snapshot.accounts[address], payee, mint):
            return draft
        making = create_associated_account(payer=draft.payer, owner=payee, mint=mint)
        rent = await self._rent_of_new(draft.snapshot, address, TOKEN_ACCOUNT_SIZE)
        return replace(
            draft,
            instructions=(making, *draft.instructions),
            units=draft.units + _MAKING_UNITS,
            rent=draft.rent + rent,
        )

    async def _prepared(self, draft: Draft, fees: FeeOptions | None) -> PreparedTransaction:
        self._availability.check(*WRITES_NEED)  # what could not be sent is not worth a signature
        snapshot, price = draft.snapshot, priority_price(fees)
        fee = _fee_lamports(draft, price)
        _check_lamports(draft.payer, snapshot.lamports(draft.payer), fee, draft.rent, await self._chain.rent(0))
        blockhash = snapshot.blockhash
        lifetime = max(0, blockhash.last_valid_block_height - blockhash.block_height) * _SECONDS_PER_BLOCK
        return PreparedTransaction(
            id=secrets.token_hex(16),
            transaction=compose(
                payer=draft.payer,
                instructions=draft.instructions,
                blockhash=blockhash.blockhash,
                compute_unit_limit=draft.units,
                compute_unit_price=price or None,
            ),
            thread_id=draft.thread.thread_id if draft.thread else draft.thread_id,
            content_hash=draft.content_hash,
            nonce=draft.nonce,
            salt=draft.salt,
            expected_version=draft.thread.sequence if draft.thread else None,
            fee_payer=draft.payer,
            fee_lamports=fee,
            rent_lamports=draft.rent,
            compute_unit_limit=draft.units,
            block_height=blockhash.block_height,
            last_valid_block_height=blockhash.last_valid_block_height,
            expires_at=snapshot.now + int(lifetime),
        )


def refuse(error: ProgramError | None) -> None:
    """Tell what the program would say, where it would refuse."""
    if error is not None:
        raise RefusedError(foretold(error))


def _fee_lamports(draft: Draft, price: int) -> int:
    """The fee of a transaction whose signers its instructions name."""
    metas = [meta for instruction in draft.instructions for meta in instruction.accounts]
    signers = {draft.payer, *(str(meta.pubkey) for meta in metas if meta.is_signer)}
    return fee_lamports(len(signers), price, draft.units)


def _check_lamports(payer: str, held: int, fee: int, rent: int, remainder: int) -> None:
    """Refuses where `payer` cannot pay. What remains must be nothing or at least `remainder`, the rent-exempt minimum
    of a wallet."""
    left = held - fee - rent
    if left < 0 or 0 < left < remainder:
        raise RefusedError(
            insufficient_funds(
                f"{payer} holds {held} lamports. Fee and rent take {fee + rent}, and of what remains either nothing or "
                f"at least {remainder} must stay. Add lamports."
            )
        )
