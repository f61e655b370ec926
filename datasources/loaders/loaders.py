"""The loaders of one operation or one event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from chorale.domain.accounts import MessageAccount, ProtocolAccount, ThreadAccount
from chorale.domain.availability import StaleRead
from chorale.domain.chain import AccountData
from chorale.domain.content import ContentKey, ContentKind, FetchedContent
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.paging import Page
from chorale.domain.ports import Chain, ContentStore, IndexReader
from chorale.domain.updates import Authority
from datasources.loaders.accounts import AccountAt, AccountLoader
from datasources.loaders.cached import CachedReads
from datasources.loaders.contents import ContentLoader, Met
from datasources.loaders.reads import Balances, MessageKey, MessageRead, MixedVersionsError, ThreadRead
from datasources.loaders.token import Token, TokenFacts
from programs.accounts import AccountMalformed, decode_message, decode_protocol, decode_thread
from programs.addresses import ProgramAddresses

A = TypeVar("A", ThreadAccount, MessageAccount, ProtocolAccount)

CLOCK = "SysvarC1ock11111111111111111111111111111111"
_CLOCK_TIME = slice(32, 40)
_TOKEN_AMOUNT = slice(64, 72)


class Loaders:
    """Reads behind one answer. All but contents raise AuthorityUnavailableError where their authority is away.

    `min_slot` is the slot below which nothing is read: a mutation's own, or an event's. Without `reads`, and with
    `reread`, nothing comes from the cache. `met` hears of bytes that are missing or wrong.
    """

    def __init__(
        self,
        chain: Chain,
        content: ContentStore,
        index: IndexReader,
        addresses: ProgramAddresses,
        facts: TokenFacts,
        *,
        min_slot: int | None = None,
        reads: CachedReads | None = None,
        reread: bool = False,
        met: Met = lambda key, state: None,
    ) -> None:
        self.accounts = AccountLoader(chain, min_slot, reads, reread=reread)
        self.contents = ContentLoader(content, met)
        self.pages: dict[Hashable, asyncio.Future[Page]] = {}
        self.mixed = False
        self._chain = chain
        self._index = index
        self._addresses = addresses
        self._facts = facts
        self._decoded: dict[str, ThreadAccount | MessageAccount] = {}

    @property
    def stale(self) -> StaleRead | None:
        """What the answer holds from before its authority went away; None where all of it was read now."""
        return self.accounts.stale.read

    def mixture(self) -> MixedVersionsError:
        """To be raised where two reads are not of one version; marks the answer as one to execute again."""
        self.mixed = True
        return MixedVersionsError()

    async def token(self) -> Token:
        """Mint and decimals of the protocol's token; after the first time without any read."""
        return await self._facts.token()

    async def thread(self, thread_id: str) -> ThreadRead | None:
        """A thread, None where absent."""
        address = self._addresses.thread(thread_id)
        self.accounts.anchor(address, thread_id)
        at = await self.accounts.load(address)
        account = self._decode(decode_thread, at)
        return None if account is None else ThreadRead(account, at.slot)

    async def threads(self, thread_ids: Sequence[str]) -> list[ThreadRead | None]:
        """Many threads in one batch."""
        return list(await asyncio.gather(*[self.thread(thread_id) for thread_id in thread_ids]))

    async def messages(self, keys: Sequence[MessageKey]) -> list[tuple[ThreadRead, MessageRead] | None]:
        """Messages with their threads in one batch, None where either is absent.

        Raises MixedVersionsError where a message is not of its thread's version.
        """
        self.want(keys)  # all of them first, so that they leave in one batch
        threads = {thread_id: await self.thread(thread_id) for thread_id in {key.thread_id for key in keys}}
        return [self._message(threads[key.thread_id], await self.accounts.load(self._address(key))) for key in keys]

    async def message(self, key: MessageKey) -> tuple[ThreadRead, MessageRead] | None:
        """One message with its thread."""
        return (await self.messages([key]))[0]

    def want(self, keys: Sequence[MessageKey]) -> None:
        """Put messages and their threads into this tick's batch without waiting for them."""
        for thread_id in {key.thread_id for key in keys}:
            address = self._addresses.thread(thread_id)
            self.accounts.anchor(address, thread_id)
            self.accounts.want(address)
        for key in keys:
            address = self._address(key)
            self.accounts.note_message(address, self._addresses.thread(key.thread_id))
            self.accounts.want(address)

    async def balances(self, wallet: str) -> Balances:
        """A wallet's balances; an account that is absent holds nothing."""
        token = await self.token()
        associated = self._addresses.associated_token_account(wallet, token.mint)
        for address in (wallet, associated):
            self.accounts.note_user(address)
        own, held = await self.accounts.load_many([wallet, associated])
        return Balances(
            lamports=own.account.lamports if own.account else 0,
            tokens=_token_amount(held.account),
            slot=min(own.slot, held.slot),
        )

    async def token_amount(self, address: str) -> tuple[int, int]:
        """Base units in the token account at `address` (0 where absent), and the slot of the read."""
        at = await self.accounts.load(address)
        return _token_amount(at.account), at.slot

    async def protocol(self) -> tuple[ProtocolAccount, int] | None:
        """The `Protocol` account and the slot of the read; None before it is initialised."""
        address = self._addresses.protocol()
        at = await self.accounts.load(address)
        if at.account is None or at.account.owner != self._chain.program_id:
            return None
        return decode_protocol(address, at.account.data), at.slot

    async def now(self) -> int:
        """The cluster's clock in unix seconds, read along with everything else."""
        at = await self.accounts.load(CLOCK)
        if at.account is None or len(at.account.data) < _CLOCK_TIME.stop:
            return await self._chain.unix_time()
        return int.from_bytes(at.account.data[_CLOCK_TIME], "little", signed=True)

    def want_time(self) -> None:
        """Put the clock into this tick's batch without waiting for it."""
        self.accounts.want(CLOCK)

    def time_read(self) -> int | None:
        """The same where it has been read already."""
        at = self.accounts.loaded(CLOCK)
        if at is None or at.account is None or len(at.account.data) < _CLOCK_TIME.stop:
            return None
        return int.from_bytes(at.account.data[_CLOCK_TIME], "little", signed=True)

    def body(self, key: MessageKey) -> asyncio.Future[FetchedContent]:
        """A message's bytes and their state, with this tick's batch."""
        return self.contents.load(body_key(key))

    def want_body(self, key: MessageKey) -> None:
        """Put a message's bytes into this tick's batch without waiting for them."""
        self.contents.want(body_key(key))

    def body_read(self, key: MessageKey) -> FetchedContent | None:
        """The same where it has been read already."""
        return self.contents.loaded(body_key(key))

    def title(self, thread: ThreadAccount) -> asyncio.Future[FetchedContent]:
        """A thread's title and its state, with this tick's batch."""
        return self.contents.load(_title_key(thread))

    def title_read(self, thread: ThreadAccount) -> FetchedContent | None:
        """The same where it has been read already."""
        return self.contents.loaded(_title_key(thread))

    def prime_thread(self, read: ThreadRead) -> None:
        """Put a thread that has been read elsewhere; what is read from now on is not older."""
        self.accounts.anchor(read.account.address, read.account.thread_id)
        self.accounts.note_version(read.account.address, read.account.sequence)
        self._prime(read.account, read.slot)

    def prime_message(self, read: MessageRead) -> None:
        """Put a message that has been read elsewhere, of the same version as its thread."""
        self._prime(read.account, read.slot)

    def prime_body(self, key: MessageKey, fetched: FetchedContent) -> None:
        """Put what a search has brought along."""
        self.contents.prime(body_key(key), fetched)

    def _address(self, key: MessageKey) -> str:
        return self._addresses.message(self._addresses.thread(key.thread_id), key.content_hash)

    def _message(self, thread: ThreadRead | None, at: AccountAt) -> tuple[ThreadRead, MessageRead] | None:
        message = self._decode(decode_message, at)
        if thread is None or message is None:
            return None
        if message.sequence > thread.account.sequence or (at.slot < thread.slot and not at.cached):
            raise self.mixture()
        return thread, MessageRead(message, at.slot)

    def _prime(self, account: ThreadAccount | MessageAccount, slot: int) -> None:
        self._decoded[account.address] = account
        # The bytes are never looked at: what they decode to is there already.
        self.accounts.prime(
            account.address, AccountAt(AccountData(account.address, self._chain.program_id, 0, b""), slot)
        )

    def _decode(self, decode: Callable[[str, bytes], A], at: AccountAt) -> A | None:
        account = at.account
        if account is None or account.owner != self._chain.program_id:
            return None
        known = self._decoded.get(account.address)
        if known is None:
            try:
                known = self._decoded[account.address] = decode(account.address, account.data)  # type: ignore[assignment]
            except AccountMalformed as error:
                raise AuthorityUnavailableError(Authority.SOLANA, f"An account cannot be read. {error}") from error
        return known  # type: ignore[return-value]


def body_key(key: MessageKey) -> ContentKey:
    """Names a message's bytes in the content store."""
    return ContentKey(ContentKind.MESSAGE, key.thread_id, key.content_hash)


def _title_key(thread: ThreadAccount) -> ContentKey:
    return ContentKey(ContentKind.TITLE, thread.thread_id, thread.title_hash)


def _token_amount(account: AccountData | None) -> int:
    if account is None or len(account.data) < _TOKEN_AMOUNT.stop:
        return 0
    return int.from_bytes(account.data[_TOKEN_AMOUNT], "little")
