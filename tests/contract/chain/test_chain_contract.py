"""The chain adapter reads, sends, confirms and follows alike on the embedded chain and on Agave's test validator."""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction

from chorale.domain.chain import AccountChange, Commitment, SlotTick, TransactionRefusedError
from chorale.domain.errors import AuthorityUnavailableError, MinimumSlotNotReachedError
from chorale.domain.events import FeedItem, TransactionRecord
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority
from datasources.solana import calls
from datasources.solana.client import default_ws_url, open_chain
from programs import identity, instructions
from programs.accounts import THREADS, decode_protocol, decode_thread
from tests.chains import MINIMUM_STAKE, RunningChain, signed
from tests.patience import PATIENCE

UNKNOWN = "1" * 64
_CREATOR = 43  # where a `Thread` names its creator


@pytest.fixture(params=["localnet", pytest.param("validator", marks=pytest.mark.validator)])
def running(request: pytest.FixtureRequest) -> RunningChain:
    chain: RunningChain = request.getfixturevalue(request.param)
    return chain


@pytest.fixture
async def chain(running: RunningChain) -> AsyncIterator[Chain]:
    async with open_chain(running.rpc_url, "", running.program_id) as chain:
        yield chain


async def new_thread(running: RunningChain, wallet: Keypair) -> tuple[str, bytes]:
    """A fresh thread's id and its signed transaction."""
    nonce, creator = secrets.randbits(64), str(wallet.pubkey())
    part = instructions.create_thread(
        running.addresses,
        payer=creator,
        creator=creator,
        mint=running.mint,
        nonce=nonce,
        title_hash=identity.title_hash(secrets.token_hex(32), "Reeds"),
    )
    return identity.thread_id(creator, nonce), await running.sign([part], [wallet])


def has_landed(item: FeedItem | None, signature: str, slot: int) -> bool:
    """Whether it is the log of this transaction as it landed. The node of a leader also tells what it executed at the
    end of a slot and had to leave to the next one."""
    return isinstance(item, TransactionRecord) and (item.signature, item.slot) == (signature, slot)


async def landed(chain: Chain, signature: str) -> TransactionRecord:
    """The record, once the node shows it: it may lag behind the status."""
    for _ in range(100):
        record = await chain.transaction(signature)
        if record is not None:
            return record
        await asyncio.sleep(0.05)
    raise AssertionError("the transaction does not show")


async def test_cluster_facts(chain: Chain, running: RunningChain) -> None:
    assert chain.program_id == running.program_id
    assert await chain.genesis_hash() == await running.rpc("getGenesisHash")
    before = await chain.slot()
    assert await chain.slot(Commitment.FINALIZED) <= await chain.slot(Commitment.PROCESSED)
    assert await chain.block_height() <= await chain.slot() + 1
    assert await chain.unix_time() > 1_700_000_000
    blockhash = await chain.latest_blockhash()
    assert blockhash.slot >= before
    assert blockhash.block_height < blockhash.last_valid_block_height <= blockhash.block_height + 150
    assert await chain.is_blockhash_valid(blockhash.blockhash)
    assert not await chain.is_blockhash_valid(str(Pubkey.new_unique()))
    assert await chain.rent(0) == 890_880
    assert await chain.rent(165) == 2_039_280


async def test_accounts_come_in_order_however_many(chain: Chain, running: RunningChain) -> None:
    protocol = running.addresses.protocol()
    absent = str(Keypair().pubkey())
    wanted = [protocol, absent, running.mint] * 70
    read = await chain.accounts(wanted)
    assert [account.address if account else None for account in read.accounts] == [protocol, None, running.mint] * 70
    first = read.accounts[0]
    assert first is not None
    assert first.owner == running.program_id
    assert decode_protocol(protocol, first.data).minimum_stake == MINIMUM_STAKE
    assert read.slot > 0
    empty = await chain.accounts([])
    assert empty.accounts == ()
    assert protocol in [account.address for account in (await chain.program_accounts()).accounts if account]


async def test_program_accounts_are_filtered_and_cut(chain: Chain, running: RunningChain) -> None:
    """Every filter must hold, and `part` cuts the bytes without changing what the filters see."""
    wallet = await running.wallet(tokens=0)
    thread_id, transaction = await new_thread(running, wallet)
    assert await chain.confirm(await chain.send(transaction), 30) is not None
    address, creator = running.addresses.thread(thread_id), (_CREATOR, str(wallet.pubkey()))
    whole = (await chain.program_accounts(holding=[creator])).accounts
    assert [account.address for account in whole if account] == [address]
    for holding in ([THREADS, creator], [creator, THREADS]):
        cut = await chain.program_accounts(holding=holding, part=(_CREATOR, 32))
        assert [account and (account.address, account.data) for account in cut.accounts] == [
            (address, bytes(wallet.pubkey()))
        ]
        assert cut.slot > 0
    assert whole[0] is not None
    beyond = await chain.program_accounts(holding=[creator], part=(len(whole[0].data) - 4, 40))
    assert [account and account.data for account in beyond.accounts] == [whole[0].data[-4:]]
    assert (await chain.program_accounts(holding=[THREADS, creator, (_CREATOR, running.mint)])).accounts == ()


async def test_a_read_waits_for_its_slot_but_not_for_ever(
    chain: Chain, running: RunningChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = await chain.slot(Commitment.PROCESSED) + 2
    read = await chain.accounts([running.mint], min_context_slot=ahead)
    assert read.slot >= ahead
    monkeypatch.setattr(calls, "MIN_SLOT_WAIT", 0.2)
    with pytest.raises(MinimumSlotNotReachedError):
        await chain.accounts([running.mint], min_context_slot=ahead + 100_000)


async def test_a_transaction_is_simulated_sent_confirmed_and_followed(chain: Chain, running: RunningChain) -> None:
    wallet = await running.wallet(tokens=0)
    thread_id, transaction = await new_thread(running, wallet)
    dry = await chain.simulate(transaction)
    assert dry.error is None, dry.logs
    assert dry.units_consumed > 1000
    assert any(line.startswith("Program data: ") for line in dry.logs)

    async with aclosing(chain.follow()) as following:
        assert isinstance(await anext(following), SlotTick)
        signature = await chain.send(transaction)
        status = await chain.confirm(signature, 30)
        assert status is not None
        assert status.error is None
        assert status.commitment is not Commitment.PROCESSED
        async with asyncio.timeout(PATIENCE):
            item: FeedItem | None = None
            while not has_landed(item, signature, status.slot):
                item = await anext(following)
                assert not isinstance(item, AccountChange)
    assert isinstance(item, TransactionRecord)
    assert [event.name for event in item.events] == ["ThreadCreated"]
    assert item.events[0].thread == running.addresses.thread(thread_id)

    record = await landed(chain, signature)
    assert (record.signature, record.slot, record.succeeded, record.events) == (
        signature, status.slot, True, item.events,
    )  # fmt: skip
    assert abs(record.block_time - item.block_time) <= 2
    assert not record.logs_cut
    assert await chain.transactions([signature, UNKNOWN]) == [record, None]

    address = running.addresses.thread(thread_id)
    read = await chain.accounts([address], min_context_slot=status.slot)
    account = read.accounts[0]
    assert account is not None
    assert decode_thread(address, account.data).thread_id == thread_id
    assert address in [other.address for other in (await chain.program_accounts()).accounts if other]
    history = await chain.history(address)
    assert [(entry.signature, entry.slot, entry.succeeded) for entry in history] == [(signature, status.slot, True)]
    assert await chain.history(address, until=signature) == []


async def test_accounts_are_told_as_a_read_shows_them(chain: Chain, running: RunningChain) -> None:
    """Who asks for them hears what a transaction makes of the program's accounts, before the log or after."""
    wallet = await running.wallet(tokens=0)
    thread_id, transaction = await new_thread(running, wallet)
    address = running.addresses.thread(thread_id)
    async with aclosing(chain.follow(accounts=True)) as following:
        assert isinstance(await anext(following), SlotTick)
        signature = await chain.send(transaction)
        status = await chain.confirm(signature, 30)
        assert status is not None
        is_logged, told = False, list[AccountChange]()
        async with asyncio.timeout(PATIENCE):
            while not (is_logged and told):
                item = await anext(following)
                is_logged = is_logged or has_landed(item, signature, status.slot)
                if isinstance(item, AccountChange) and item.account.address == address:
                    told.append(item)
    read = await chain.accounts([address], min_context_slot=status.slot)
    assert told == [AccountChange(status.slot, told[0].account)]
    assert read.accounts == (told[0].account,)


async def test_many_confirmations_share_a_socket(chain: Chain, running: RunningChain) -> None:
    wallet = await running.wallet(tokens=0)
    transactions = [(await new_thread(running, wallet))[1] for _ in range(5)]
    signatures = await asyncio.gather(*(chain.send(transaction) for transaction in transactions))
    statuses = await asyncio.gather(*(chain.confirm(signature, 30) for signature in signatures))
    assert all(status is not None and status.error is None for status in statuses)


async def test_confirming_wakes_when_the_transaction_lands_later(chain: Chain, running: RunningChain) -> None:
    wallet = await running.wallet(tokens=0)
    _, transaction = await new_thread(running, wallet)
    signature = str(Transaction.from_bytes(transaction).signatures[0])
    waiting = asyncio.create_task(chain.confirm(signature, 30))
    await asyncio.sleep(0.1)  # the subscription is to stand before the transaction is sent
    assert await chain.send(transaction) == signature
    status = await waiting
    assert status is not None
    assert status.error is None


async def test_what_was_never_sent_is_unknown(chain: Chain) -> None:
    assert await chain.status(UNKNOWN) is None
    assert await chain.status(UNKNOWN, search_history=True) is None
    assert await chain.confirm(UNKNOWN, 0.2) is None
    assert await chain.transaction(UNKNOWN) is None


async def test_preflight_refuses_with_error_and_logs(chain: Chain, running: RunningChain) -> None:
    poor, wallet = Keypair(), await running.wallet(tokens=0)
    destination = Keypair().pubkey()
    too_much = transfer(TransferParams(from_pubkey=wallet.pubkey(), to_pubkey=destination, lamports=10**15))
    transaction = await running.sign([too_much], [wallet])
    dry = await chain.simulate(transaction)
    assert dry.error == {"InstructionError": [0, {"Custom": 1}]}
    with pytest.raises(TransactionRefusedError) as caught:
        await chain.send(transaction)
    assert caught.value.error == {"InstructionError": [0, {"Custom": 1}]}
    assert caught.value.logs

    for blockhash, payer, expected in (
        (str(Pubkey.new_unique()), wallet, "BlockhashNotFound"),
        ((await chain.latest_blockhash()).blockhash, poor, "AccountNotFound"),
    ):
        part = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=destination, lamports=1))
        dry = await chain.simulate(signed([part], [payer], blockhash))
        assert dry.error == expected


async def test_a_wrong_signature_and_rubbish_are_refused(chain: Chain, running: RunningChain) -> None:
    wallet = await running.wallet(tokens=0)
    _, transaction = await new_thread(running, wallet)
    forged = transaction[:1] + bytes(Keypair().sign_message(b"other")) + transaction[65:]
    for attempt in (chain.send(forged), chain.send(b"\x01rubbish")):
        with pytest.raises(TransactionRefusedError):
            await attempt
    assert (await chain.simulate(forged)).error == "SignatureFailure"


async def test_a_transaction_that_landed_and_failed_has_no_events(chain: Chain, running: RunningChain) -> None:
    wallet = await running.wallet(tokens=0)
    # One thread made twice: the first instruction logs its event, the second undoes it.
    twice = instructions.create_thread(
        running.addresses,
        payer=str(wallet.pubkey()),
        creator=str(wallet.pubkey()),
        mint=running.mint,
        nonce=secrets.randbits(64),
        title_hash="00" * 32,
    )
    failing = await running.sign([twice, twice], [wallet])
    options = {"encoding": "base64", "skipPreflight": True}
    signature = await running.rpc("sendTransaction", b64encode(failing).decode(), options)
    status = await chain.confirm(signature, 30)
    assert status is not None
    assert status.error is not None
    record = await landed(chain, signature)
    assert not record.succeeded
    assert record.events == ()


async def test_a_node_that_is_away_is_named() -> None:
    async with open_chain("http://127.0.0.1:1", "", str(Keypair().pubkey())) as chain:
        for attempt in (chain.slot(), chain.send(b"1"), chain.latest_blockhash(), anext(chain.follow())):
            with pytest.raises(AuthorityUnavailableError) as caught:
                await attempt
            assert caught.value.authority is Authority.SOLANA
        assert await chain.confirm(UNKNOWN, 0.1) is None


def test_the_socket_is_beside_the_rpc() -> None:
    assert default_ws_url("http://127.0.0.1:8899") == "ws://127.0.0.1:8900"
    assert default_ws_url("http://[::1]:8899/x") == "ws://[::1]:8900/x"
    assert default_ws_url("http://node.example") == "ws://node.example"
    assert default_ws_url("https://api.devnet.solana.com/?key=1") == "wss://api.devnet.solana.com/?key=1"
    assert default_ws_url("https://node.example:8443/x") == "wss://node.example:8443/x"
