"""Accounts by address: one getMultipleAccounts per 100 of all that one tick wants and the cache does not have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chorale.domain.caching import CachedAccount, Lookup
from chorale.domain.chain import AccountData
from chorale.domain.errors import AuthorityUnavailableError, MinimumSlotNotReachedError
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority
from datasources.loaders.batch import BatchLoader
from datasources.loaders.cached import CachedReads, Entity, Stale

ACCOUNTS_PER_CALL = 100


@dataclass(frozen=True, slots=True)
class AccountAt:
    """An account, None where absent, and the slot it was read at. What is `cached` may have been read before others of
    the same version."""

    account: AccountData | None
    slot: int
    cached: bool = False


class AccountLoader(BatchLoader[str, AccountAt]):
    """Never reads behind what it has read: each call asks for at least the slot of the one before.

    Anchors (threads) go into the first call of a tick, so a message is never older than its thread. A message comes
    from the cache only where its thread's version, however that was read, is one up to which the floors surely stand:
    so cached and read messages are of one version. With `reread` nothing does.

    Where Solana is away, the last known accounts answer, and `stale` says so.
    """

    def __init__(
        self, chain: Chain, min_slot: int | None = None, reads: CachedReads | None = None, *, reread: bool = False
    ) -> None:
        super().__init__()
        self._chain = chain
        self._asked_slot = self._min_slot = min_slot
        self._reads = reads
        self._reread = reread
        self._anchors: dict[str, str] = {}  # threads: their ids by address
        self._entities: dict[str, Entity] = {}
        self._threads: dict[str, str] = {}  # addresses of messages' threads by their own
        self._versions: dict[str, int] = {}  # of threads that have been read
        self.stale = Stale()

    def anchor(self, address: str, thread_id: str) -> None:
        """Read `address` in the first call of its tick."""
        self._anchors[address] = thread_id
        self._entities[address] = Entity.THREAD

    def note_message(self, address: str, thread: str) -> None:
        """A message's address, and its thread's."""
        self._entities[address] = Entity.MESSAGE
        self._threads[address] = thread

    def note_user(self, address: str) -> None:
        """A wallet, or its token account."""
        self._entities[address] = Entity.USER

    def note_version(self, thread: str, version: int) -> None:
        """The version of a thread that was read elsewhere."""
        self._versions[thread] = version

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, AccountAt | Exception]:
        """From the cache, then the chain, in chunks one after another; slots never fall."""
        found: dict[str, AccountAt] = {}
        if self._reads is None:
            await self._read(keys, self._min_slot, found)
            return found
        failure: AuthorityUnavailableError | MinimumSlotNotReachedError | None = None
        lookup, cached, known = await self._look_up(self._reads, keys)
        try:
            await self._read([key for key in keys if key not in cached], _later(self._min_slot, lookup.slot), found)
            overtaken = [key for key in cached if not self._stands(key, known)]
            for key in overtaken:
                del cached[key]
            await self._read(overtaken, self._min_slot, found)
        except (AuthorityUnavailableError, MinimumSlotNotReachedError) as error:
            failure = error
        finally:
            read = {address: (at.account, at.slot) for address, at in found.items()}
            await self._reads.fill(read, self._entities, lookup)
        found |= {address: AccountAt(entry.account, entry.slot, cached=True) for address, entry in cached.items()}
        self._reads.count(known, keys, cached, self._entities)
        if failure is None:
            return found
        return await self._without_chain(self._reads, keys, found, failure)

    async def _look_up(
        self, reads: CachedReads, keys: Sequence[str]
    ) -> tuple[Lookup, dict[str, CachedAccount], dict[str, int] | None]:
        """The lookup, what may be served of it as far as that can be told yet, and up to which versions of threads;
        None where nothing is served at all: what others have confirmed is a floor for the read even then."""
        served = [key for key in keys if self._entities.get(key, Entity.OTHER).served]
        if not served:
            return Lookup({}), {}, None
        if self._reread or not reads.is_live():
            return await reads.claim(served), {}, None
        threads = {self._threads.get(key, key) for key in served}
        known = await reads.known_sequences(
            {thread: self._anchors[thread] for thread in threads & self._anchors.keys()}
        )
        lookup = await reads.look_up(served, self._asked_slot)
        cached = dict(lookup.found)
        # A thread below what is known here is of a cache that was put back and lost its floors: so are its messages.
        behind = {key for key in known if key in cached and cached[key].version < known[key]}
        for key in list(cached):
            if self._threads.get(key, key) in behind:
                del cached[key]
        for key in served:
            if key in cached and self._entities[key] is Entity.THREAD:
                self._versions[key] = cached[key].version
        reading = {key for key in keys if key not in cached}
        for key in list(cached):
            thread = self._threads.get(key)
            if thread is not None and thread not in reading and not self._stands(key, known):
                del cached[key]
        return lookup, cached, known

    def _stands(self, key: str, known: Mapping[str, int] | None) -> bool:
        """Whether the floors of a cached account surely stand up to the version of its thread that is shown."""
        thread = self._threads.get(key)
        if thread is None:
            return True
        version = self._versions.get(thread)
        return version is not None and version <= (known or {}).get(thread, 0)

    async def _read(self, keys: Sequence[str], min_slot: int | None, into: dict[str, AccountAt]) -> None:
        """From the chain; what was read before a failure stays."""
        ordered = sorted(keys, key=lambda key: key not in self._anchors)
        for start in range(0, len(ordered), ACCOUNTS_PER_CALL):
            chunk = ordered[start : start + ACCOUNTS_PER_CALL]
            read = await self._chain.accounts(chunk, min_context_slot=_later(min_slot, self._min_slot))
            self._min_slot = max(self._min_slot or 0, read.slot)
            for address, account in zip(chunk, read.accounts, strict=True):
                into[address] = AccountAt(account, read.slot)
                if self._reads is not None and address in self._anchors:
                    self._versions[address] = self._reads.version(account, Entity.THREAD) or 0

    async def _without_chain(
        self,
        reads: CachedReads,
        keys: Sequence[str],
        found: Mapping[str, AccountAt],
        failure: AuthorityUnavailableError | MinimumSlotNotReachedError,
    ) -> Mapping[str, AccountAt | Exception]:
        """What was found, and of the rest what was last known of it; the failure stands for what never was, and for
        threads that the index knows to be past: whoever has left since must not be taken for a co-author."""
        if isinstance(failure, AuthorityUnavailableError) and failure.authority is not Authority.SOLANA:
            raise failure
        held = await reads.last_known([key for key in keys if key not in found], self._asked_slot)
        threads = {address: self._anchors[address] for address in held if address in self._anchors}
        known = await reads.known_sequences(threads)
        held = {address: entry for address, entry in held.items() if entry.version >= known.get(address, 0)}
        answer: dict[str, AccountAt | Exception] = {**dict.fromkeys(keys, failure), **found}
        for address, entry in held.items():
            self.stale.note(entry)
            answer[address] = AccountAt(entry.account, entry.slot, cached=True)
        return answer


def _later(one: int | None, other: int | None) -> int | None:
    return max((slot for slot in (one, other) if slot is not None), default=None)
