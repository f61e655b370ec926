"""The same compiled program runs on Agave's own test validator: a thread from its creation to a paid departure."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from chorale.domain.accounts import ThreadAccount
from chorale.domain.approval import MessageStatus
from programs import identity, instructions, merkle
from programs.accounts import decode_message, decode_thread
from tests.chains import MINIMUM_STAKE, RunningChain, running_validator
from tests.program.stage import FAR_FUTURE, body_hash


async def account(chain: RunningChain, address: str) -> bytes:
    """Bytes of an account, as confirmed."""
    answer = await chain.rpc("getAccountInfo", address, {"encoding": "base64", "commitment": "confirmed"})
    return base64.b64decode(answer["value"]["data"][0])


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    """Agave's test validator with the program."""
    with running_validator(tmp_path_factory.mktemp("agave")) as running:
        yield running


@pytest.mark.validator
@pytest.mark.timeout(300)
async def test_a_threads_life_on_agave(chain: RunningChain) -> None:
    """Create, post, submit, publish, join and divest: state and root are what the client computes."""
    program = chain.addresses
    creator, author = await chain.wallet(), await chain.wallet()
    creator_key, author_key = str(creator.pubkey()), str(author.pubkey())
    thread_id = identity.thread_id(creator_key, 1)
    thread_address = program.thread(thread_id)

    async def thread() -> ThreadAccount:
        return decode_thread(thread_address, await account(chain, thread_address))

    async def send(instruction: Instruction, signer: Keypair) -> None:
        await chain.send([instruction], [signer])

    create = instructions.create_thread(
        program, payer=creator_key, creator=creator_key, mint=chain.mint, nonce=1, title_hash="11" * 32
    )
    await send(create, creator)
    post = instructions.post_message(
        program, payer=creator_key, author=creator_key, thread_id=thread_id, body_hash=body_hash(1), nonce=1
    )
    await send(post, creator)
    submit = instructions.submit_message(
        program,
        payer=author_key,
        author=author_key,
        source=program.associated_token_account(author_key, chain.mint),
        thread_id=thread_id,
        body_hash=body_hash(2),
        nonce=2,
        stake=MINIMUM_STAKE,
        max_expires_at=FAR_FUTURE,
    )
    await send(submit, author)
    posted = identity.content_hash(thread_id, creator_key, 1, body_hash(1))
    submitted = identity.content_hash(thread_id, author_key, 2, body_hash(2))
    vote = instructions.cast_vote(
        program,
        payer=creator_key,
        voter=creator_key,
        thread_id=thread_id,
        content_hash=submitted,
        approve=True,
    )
    await send(vote, creator)
    message_address = program.message(thread_address, submitted)
    message = decode_message(message_address, await account(chain, message_address))
    assert (message.status, message.leaf_index) == (MessageStatus.PUBLISHED, 1)
    state = await thread()
    assert state.content_root == merkle.root_of([posted, submitted])
    assert [c.key for c in state.co_authors] == [creator_key, author_key]
    leave = instructions.divest(
        program,
        co_author=author_key,
        destination=program.associated_token_account(author_key, chain.mint),
        thread_id=thread_id,
        min_payout=MINIMUM_STAKE // 2,
    )
    await send(leave, author)
    state = await thread()
    assert (state.token_balance, state.sequence) == (MINIMUM_STAKE // 2, 5)
    assert [c.key for c in state.co_authors] == [creator_key]
