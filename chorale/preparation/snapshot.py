"""One read of the chain for a preparation: everything that its transaction depends on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chorale.domain.accounts import MessageAccount, ProtocolAccount, ThreadAccount
from chorale.domain.approval import may_see_message
from chorale.domain.chain import AccountData, Blockhash
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority, RefusedError
from chorale.update.refusals import not_found
from programs.accounts import decode_message, decode_protocol, decode_thread
from programs.token_accounts import token_amount


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Accounts by address, a blockhash, and `now`, the cluster's clock."""

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
        return token_amount(self.accounts[address])

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


def check_visible(message: MessageAccount, thread: ThreadAccount, wallet: str, viewer: str | None) -> None:
    """Refuses with NotFound what neither the wallet nor the viewer may see."""
    if not (may_see_message(message, thread, wallet) or may_see_message(message, thread, viewer)):
        raise RefusedError(not_found("message"))
