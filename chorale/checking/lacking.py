"""What the chain has and the index does not: threads, and messages of a thread that counts more than the index."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from chorale.domain.accounts import ThreadAccount
from chorale.domain.ports import Chain
from programs.accounts import MESSAGE_HASH, MESSAGE_THREAD, THREAD_ID, THREADS
from programs.wire import key_text

_AT_ONCE = 10_000  # accounts that one answer may list, cut to their names; beyond that they are asked for in slices
_SLICES = 256  # by the first byte of the name
_NAME = 32


async def threads(chain: Chain, about: int, batch: int) -> AsyncGenerator[Sequence[str], None]:
    """Ids of all threads on chain, a batch at a time; `about` is how many to expect."""
    async for page in _names(chain, [THREADS], THREAD_ID, about, batch):
        yield page


async def messages(chain: Chain, thread: ThreadAccount, batch: int) -> AsyncGenerator[Sequence[str], None]:
    """Hashes of all messages that a thread has on chain, a batch at a time."""
    async for page in _names(chain, [(MESSAGE_THREAD, thread.address)], MESSAGE_HASH, thread.message_count, batch):
        yield page


async def _names(
    chain: Chain, holding: Sequence[tuple[int, str]], offset: int, about: int, batch: int
) -> AsyncGenerator[Sequence[str], None]:
    filters = [[*holding]]
    if about > _AT_ONCE:
        filters = [[*holding, (offset, _first_byte(value))] for value in range(_SLICES)]
    for each in filters:
        read = await chain.program_accounts(holding=each, part=(offset, _NAME))
        names = [data.data.hex() for data in read.accounts if data is not None and len(data.data) == _NAME]
        for at in range(0, len(names), batch):
            yield names[at : at + batch]


def _first_byte(value: int) -> str:
    """One byte in base58: of a key that ends in it with 31 zero bytes in front, each of which is a "1"."""
    return key_text(bytes(31) + bytes([value]))[31:]
