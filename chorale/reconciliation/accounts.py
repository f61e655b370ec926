"""Reading the authority again: a thread and some of its messages, of one version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.chain import Commitment
from chorale.domain.ports import Chain
from chorale.projection.garbage import as_away
from programs.accounts import decode_message, decode_thread
from programs.addresses import ProgramAddresses


@dataclass(frozen=True, slots=True)
class Owned:
    """A thread and messages by hash, as read at `slot`; None and absent where the chain has none."""

    slot: int
    thread: ThreadAccount | None
    messages: dict[str, MessageAccount]


async def read_owned(
    chain: Chain,
    thread_id: str,
    content_hashes: Sequence[str] = (),
    *,
    min_slot: int | None = None,
    commitment: Commitment = Commitment.CONFIRMED,
) -> Owned:
    """One read of one thread. Raises what the chain raises; AuthorityUnavailableError for what no program writes."""
    addresses = ProgramAddresses(chain.program_id)
    thread_address = addresses.thread(thread_id)
    wanted = [thread_address, *(addresses.message(thread_address, content_hash) for content_hash in content_hashes)]
    read = await chain.accounts(wanted, min_context_slot=min_slot or None, commitment=commitment)
    # Anyone can send lamports to an address before the program makes its account there.
    own = [data if data is not None and data.owner == chain.program_id else None for data in read.accounts]
    with as_away():
        messages = [decode_message(data.address, data.data) for data in own[1:] if data is not None]
        thread = None if own[0] is None else decode_thread(own[0].address, own[0].data)
    return Owned(read.slot, thread, {message.content_hash: message for message in messages})
