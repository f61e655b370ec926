"""Every nonce and stake of an unsigned 64-bit integer comes back as it was stored, and no payload holds one as a
number: a server's integers are signed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from datasources.qdrant import QdrantContent
from datasources.qdrant.payload import INTEGERS, proven, staged_payload
from tests.contract.content.samples import LEASE, message

U64 = st.integers(0, 2**64 - 1)


@given(nonce=U64, stake=U64)
@example(nonce=2**63, stake=2**64 - 1)
def test_numbers_of_the_whole_range_come_back(nonce: int, stake: int) -> None:
    content = replace(message(nonce), stake=stake)
    payload = staged_payload(content, LEASE)
    assert {name for name, value in payload.items() if isinstance(value, int)} == set(INTEGERS)
    stored = proven(payload, content.key)
    assert stored is not None and (stored.nonce, stored.stake) == (nonce, stake)


async def test_the_largest_numbers_come_back_from_the_store(store: QdrantContent) -> None:
    content = replace(message(2**64 - 1), stake=2**64 - 1)
    stored = await store.stage(content, lease_until=LEASE)
    assert (stored.nonce, stored.stake) == (2**64 - 1, 2**64 - 1)
