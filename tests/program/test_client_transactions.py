"""Transactions from wallets are read or refused with the cure, and composed ones hold what was asked for."""

from __future__ import annotations

import pytest
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import AdvanceNonceAccountParams, advance_nonce_account
from solders.transaction import VersionedTransaction

from programs import identity, instructions
from programs.addresses import ProgramAddresses
from programs.transactions import TransactionMalformed, check_signatures, compose, decode_transaction
from programs.wire import WireError

PAYER, VOTER = Keypair(), Keypair()
PROGRAM = ProgramAddresses(str(Keypair().pubkey()))
BLOCKHASH = str(Hash.new_unique())
THREAD_ID = identity.thread_id(str(VOTER.pubkey()), 1)
CONTENT_HASH = "ab" * 32
VOTE = instructions.cast_vote(
    PROGRAM,
    payer=str(PAYER.pubkey()),
    voter=str(VOTER.pubkey()),
    thread_id=THREAD_ID,
    content_hash=CONTENT_HASH,
    approve=True,
)


def unsigned(*listed: Instruction) -> bytes:
    """A composed transaction with limits."""
    return compose(
        payer=str(PAYER.pubkey()),
        instructions=listed or (VOTE,),
        blockhash=BLOCKHASH,
        compute_unit_limit=50_000,
        compute_unit_price=7,
    )


def signed(raw: bytes, *keypairs: Keypair) -> bytes:
    """`raw` with the signatures of `keypairs` in order."""
    message = VersionedTransaction.from_bytes(raw).message
    return bytes(VersionedTransaction(message, list(keypairs)))


def v0(*tables: AddressLookupTableAccount, instruction: Instruction = VOTE) -> bytes:
    """The vote as a signed v0 transaction."""
    message = MessageV0.try_compile(PAYER.pubkey(), [instruction], list(tables), Hash.from_string(BLOCKHASH))
    return bytes(VersionedTransaction(message, [PAYER, VOTER]))


def test_a_composed_transaction_reads_back() -> None:
    """Payer, blockhash, limits and the named accounts come back; the signatures are missing."""
    decoded = decode_transaction(unsigned(), PROGRAM.program_id)
    assert decoded.version is None
    assert decoded.fee_payer == str(PAYER.pubkey())
    assert decoded.signers == (str(PAYER.pubkey()), str(VOTER.pubkey()))
    assert decoded.blockhash == BLOCKHASH
    assert (decoded.compute_unit_limit, decoded.compute_unit_price) == (50_000, 7)
    assert not decoded.uses_durable_nonce
    limit, price, vote = decoded.instructions
    assert limit.decoded is None and price.decoded is None and vote.decoded is not None
    assert vote.decoded.name == "cast_vote"
    assert vote.decoded.args == {"approve": True}
    thread = PROGRAM.thread(THREAD_ID)
    assert vote.decoded.accounts == {
        "payer": str(PAYER.pubkey()),
        "voter": str(VOTER.pubkey()),
        "thread": thread,
        "message": PROGRAM.message(thread, CONTENT_HASH),
        "system_program": "11111111111111111111111111111111",
    }
    assert check_signatures(decoded).missing == decoded.signers


def test_wallets_may_send_v0() -> None:
    """A v0 transaction is read and its signatures are checked over the versioned message."""
    decoded = decode_transaction(v0(), PROGRAM.program_id)
    assert decoded.version == 0
    assert decoded.instructions[0].decoded is not None
    assert check_signatures(decoded).complete


def test_signatures_are_told_apart() -> None:
    """Complete, missing and wrong signatures are named by signer."""
    good = signed(unsigned(), PAYER, VOTER)
    assert check_signatures(decode_transaction(good, PROGRAM.program_id)).complete
    partly = good[:65] + bytes(64) + good[129:]
    assert check_signatures(decode_transaction(partly, PROGRAM.program_id)).missing == (str(VOTER.pubkey()),)
    swapped = good[:1] + good[65:129] + good[1:65] + good[129:]
    check = check_signatures(decode_transaction(swapped, PROGRAM.program_id))
    assert (check.wrong, check.complete) == ((str(PAYER.pubkey()), str(VOTER.pubkey())), False)


def test_durable_nonces_are_noticed() -> None:
    """A transaction that advances a nonce account first says so."""
    params = AdvanceNonceAccountParams(nonce_pubkey=Pubkey.new_unique(), authorized_pubkey=PAYER.pubkey())
    raw = compose(payer=str(PAYER.pubkey()), instructions=[advance_nonce_account(params), VOTE], blockhash=BLOCKHASH)
    assert decode_transaction(raw, PROGRAM.program_id).uses_durable_nonce


def extra_account() -> bytes:
    """The vote with an account too many."""
    metas = [*VOTE.accounts, AccountMeta(Pubkey.new_unique(), False, False)]
    return unsigned(Instruction(VOTE.program_id, VOTE.data, metas))


def with_tables() -> bytes:
    """The vote with its thread behind a lookup table."""
    return v0(AddressLookupTableAccount(Pubkey.new_unique(), [VOTE.accounts[2].pubkey, VOTE.accounts[3].pubkey]))


def twice() -> bytes:
    """A transaction that lists one account under two indexes."""
    raw = bytearray(unsigned())
    start = raw.index(bytes(VOTE.accounts[2].pubkey))
    other = raw.index(bytes(VOTE.accounts[3].pubkey))
    raw[other : other + 32] = raw[start : start + 32]
    return bytes(raw)


def bad_index() -> bytes:
    """A transaction whose last instruction names an account that is not there."""
    raw = bytearray(unsigned())
    raw[-11] = 200
    return bytes(raw)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "truncated"),
        (unsigned()[:-1], "truncated"),
        (unsigned() + b"\x00", "1 bytes follow"),
        (bytes(1233), "1232 are allowed"),
        (b"\x00" + unsigned()[129:], "contradicts itself"),
        (bad_index(), "contradicts itself"),
        (twice(), "account twice"),
        (with_tables(), "lookup tables"),
        (unsigned(Instruction(VOTE.program_id, b"12345678", [])), "not one of this program"),
        (unsigned(Instruction(VOTE.program_id, VOTE.data + b"\x00", VOTE.accounts)), "10 bytes of data, 9"),
        (unsigned(Instruction(VOTE.program_id, VOTE.data[:8] + b"\x02", VOTE.accounts)), "boolean"),
        (unsigned(Instruction(VOTE.program_id, VOTE.data, VOTE.accounts[:-1])), "4 accounts, 5"),
        (extra_account(), "6 accounts, 5"),
    ],
    ids=lambda value: value if isinstance(value, str) else "raw",
)
def test_malformed_transactions_are_refused_with_the_cure(raw: bytes, reason: str) -> None:
    """What cannot be read raises one typed error that says why."""
    with pytest.raises(TransactionMalformed, match=reason):
        decode_transaction(raw, PROGRAM.program_id)


def test_any_damage_is_typed() -> None:
    """Whatever byte of a transaction is changed, it still reads or raises the typed error."""
    raw = signed(unsigned(), PAYER, VOTER)
    for offset in range(len(raw)):
        for value in (0x00, 0x7F, 0x80, 0xFF):
            damaged = raw[:offset] + bytes([value]) + raw[offset + 1 :]
            try:
                check = check_signatures(decode_transaction(damaged, PROGRAM.program_id))
            except TransactionMalformed:
                continue
            assert damaged == raw or not check.complete


def test_composing_refuses_what_cannot_be_sent() -> None:
    """A malformed payer or blockhash, and too many bytes, are refused before a wallet sees them."""
    with pytest.raises(WireError, match="public key"):
        compose(payer="nobody", instructions=[VOTE], blockhash=BLOCKHASH)
    with pytest.raises(WireError, match="blockhash"):
        compose(payer=str(PAYER.pubkey()), instructions=[VOTE], blockhash="0")
    with pytest.raises(TransactionMalformed, match="1232"):
        unsigned(Instruction(Pubkey.new_unique(), bytes(1200), []))
