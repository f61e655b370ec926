"""What every preparation checks: arguments, fee payer, one read of the chain, and whether the payer can pay."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from chorale.domain.accounts import MessageAccount, ProtocolAccount, ThreadAccount
from chorale.domain.approval import MessageStatus, may_see_message
from chorale.domain.chain import AccountData, Blockhash
from chorale.domain.commands import FeeOptions
from chorale.domain.content import body_problem
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain
from chorale.domain.program_errors import ProgramError
from chorale.domain.updates import Authority, RefusedError
from chorale.update.refusals import insufficient_funds, invalid_input, not_found
from programs.accounts import decode_message, decode_protocol, decode_thread
from programs.wire import WireError, hash_bytes, key_bytes

LAMPORTS_PER_SIGNATURE = 5_000
_TOKEN_AMOUNT = slice(64, 72)
_U64 = 2**64


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One read of everything that a transaction depends on; `now` is the cluster's clock."""

    program_id: str
    accounts: dict[str, AccountData | None]
    blockhash: Blockhash
    now: int

    def has(self, address: str) -> bool:
        """Whether the program has made this account; lamports that a stranger sent there do not count."""
        account = self.accounts[address]
        return account is not None and account.owner == self.program_id

    def thread(self, address: str) -> ThreadAccount:
        """The thread at `address`. Refuses with NotFound where there is none."""
        account = self.accounts[address]
        if account is None or account.owner != self.program_id:
            raise RefusedError(not_found("thread"))
        return decode_thread(address, account.data)

    def message(self, address: str) -> MessageAccount:
        """The message at `address`. Refuses with NotFound where there is none."""
        account = self.accounts[address]
        if account is None or account.owner != self.program_id:
            raise RefusedError(not_found("message"))
        return decode_message(address, account.data)

    def protocol(self, address: str) -> ProtocolAccount:
        """The protocol's account."""
        return protocol_in(self.accounts[address], self.program_id)

    def tokens(self, address: str) -> int:
        """Base units in a token account; 0 where there is none."""
        account = self.accounts[address]
        return 0 if account is None else int.from_bytes(account.data[_TOKEN_AMOUNT], "little")

    def lamports(self, address: str) -> int:
        """Lamports of an account; 0 where there is none."""
        account = self.accounts[address]
        return 0 if account is None else account.lamports


async def take_snapshot(chain: Chain, addresses: Sequence[str]) -> Snapshot:
    """Accounts in one batch, a blockhash and the time, read at once."""
    read, blockhash, now = await asyncio.gather(chain.accounts(addresses), chain.latest_blockhash(), chain.unix_time())
    return Snapshot(chain.program_id, dict(zip(addresses, read.accounts, strict=True)), blockhash, now)


def protocol_in(account: AccountData | None, program_id: str) -> ProtocolAccount:
    """The protocol's account. Raises AuthorityUnavailableError where the program was never initialised."""
    if account is None:
        raise AuthorityUnavailableError(
            Authority.SOLANA, f"The program {program_id} is not initialised on this chain. Run its initialize first."
        )
    return decode_protocol(account.address, account.data)


def check_identity(
    wallet: str, text: str, nonce: int | None, salt: str | None, field: str, limit: int
) -> tuple[int, str]:
    """Nonce and salt, drawn at random where absent, after all inputs have been checked."""
    check_key(wallet, "wallet")
    problem = body_problem(text, limit)
    if problem is not None:
        raise RefusedError(invalid_input(problem, field))
    if nonce is not None:
        check_u64(nonce, "nonce")
    if salt is not None:
        try:
            hash_bytes(salt)
        except WireError as error:
            raise RefusedError(invalid_input(str(error), "salt")) from error
    return secrets.randbits(64) if nonce is None else nonce, secrets.token_hex(32) if salt is None else salt


def check_hash(value: str, field: str) -> None:
    """Refuses what is no hash."""
    try:
        hash_bytes(value)
    except WireError as error:
        raise RefusedError(invalid_input(str(error), field)) from error


def check_key(key: str, field: str) -> None:
    """Refuses what is no public key."""
    try:
        key_bytes(key)
    except WireError as error:
        raise RefusedError(invalid_input(str(error), field)) from error


def check_u64(value: int, field: str) -> None:
    """Refuses what no u64 holds."""
    if not 0 <= value < _U64:
        raise RefusedError(invalid_input(f"{value} is not an unsigned 64-bit number.", field))


def fee_payer(wallet: str, fees: FeeOptions | None) -> str:
    """Who pays fee and rent: the wallet itself unless another is named."""
    if fees is None or fees.fee_payer is None:
        return wallet
    check_key(fees.fee_payer, "feePayer")
    return fees.fee_payer


def priority_price(fees: FeeOptions | None) -> int:
    """Micro-lamports per compute unit, 0 where none are offered."""
    price = (fees.priority_fee_micro_lamports if fees else None) or 0
    check_u64(price, "priorityFeeMicroLamports")
    return price


def fee_lamports(signatures: int, price: int, units: int) -> int:
    """The fee of a transaction: signatures and priority, rounded up."""
    return LAMPORTS_PER_SIGNATURE * signatures + -(-price * units // 1_000_000)


def check_lamports(payer: str, held: int, fee: int, rent: int, remainder: int) -> None:
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


def check_visible(message: MessageAccount, thread: ThreadAccount, wallet: str, viewer: str | None) -> None:
    """Refuses with NotFound what neither the wallet nor the viewer may see."""
    if not (may_see_message(message, thread, wallet) or may_see_message(message, thread, viewer)):
        raise RefusedError(not_found("message"))


def vote_error(message: MessageAccount, thread: ThreadAccount, wallet: str, now: int) -> ProgramError | None:
    """What the program would say to a vote, in its own order of checks."""
    if wallet == message.author:
        return ProgramError.OWN_MESSAGE
    if not thread.has_co_author(wallet):
        return ProgramError.NOT_A_CO_AUTHOR
    if message.status is not MessageStatus.PENDING:
        return ProgramError.NOT_PENDING
    if now >= message.expires_at:
        return ProgramError.WINDOW_CLOSED
    return ProgramError.ALREADY_VOTED if message.vote_of(wallet) is not None else None
