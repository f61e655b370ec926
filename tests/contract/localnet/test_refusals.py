"""Transactions that cannot land are refused with Solana's codes, texts and data, and change nothing."""

from __future__ import annotations

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.system_program import create_nonce_account
from solders.transaction import VersionedTransaction

from tests.contract.localnet.harness import SOL, Localnet, encoded, pay

BASE64 = {"encoding": "base64"}
PREFLIGHT_FAILURE = -32002


@pytest.fixture
def payer(chain: Localnet) -> Keypair:
    return chain.funded()


def refusal(chain: Localnet, transaction: str) -> tuple[object, str]:
    """Error JSON and text of a transaction that preflight refuses."""
    error = chain.error("sendTransaction", transaction, BASE64)
    assert error["code"] == PREFLIGHT_FAILURE
    assert isinstance(error["data"]["logs"], list) and isinstance(error["data"]["unitsConsumed"], int)
    return error["data"]["err"], error["message"].removeprefix("Transaction simulation failed: ")


def test_wrong_signer(chain: Localnet, payer: Keypair) -> None:
    """A signature by somebody else is found out, also behind an unknown blockhash."""
    for blockhash in (chain.blockhash(), Hash.new_unique()):
        message = Message.new_with_blockhash([pay(payer, Keypair().pubkey(), SOL)], payer.pubkey(), blockhash)
        forged = VersionedTransaction.populate(message, [Keypair().sign_message(bytes(message))])
        expected = ("SignatureFailure", "Transaction did not pass signature verification")
        assert refusal(chain, encoded(forged)) == expected
        assert chain.send(encoded(forged), skipPreflight=True) == str(forged.signatures[0])  # dropped, as on a cluster
    assert chain.balance(payer.pubkey()) == 10 * SOL


def test_unknown_blockhash(chain: Localnet, payer: Keypair) -> None:
    """A blockhash that never was is not found."""
    message = Message.new_with_blockhash([pay(payer, payer.pubkey(), 1)], payer.pubkey(), Hash.new_unique())
    transaction = encoded(VersionedTransaction(message, [payer]))
    assert refusal(chain, transaction) == ("BlockhashNotFound", "Blockhash not found")


def test_blockhash_expires_after_150_blocks(chain: Localnet, payer: Keypair) -> None:
    """A blockhash is good up to its last valid height and not beyond it."""
    latest = chain.call("getLatestBlockhash")["value"]
    young, old = (chain.signed([pay(payer, Keypair().pubkey(), each)], payer) for each in (SOL, 2 * SOL))
    chain.call("chorale_advanceSlots", 140)
    chain.send(young)
    chain.call("chorale_advanceSlots", latest["lastValidBlockHeight"] - chain.call("getBlockHeight") + 1)
    assert chain.call("isBlockhashValid", latest["blockhash"])["value"] is False
    assert refusal(chain, old) == ("BlockhashNotFound", "Blockhash not found")


def test_replay_is_refused_for_ever(chain: Localnet, payer: Keypair) -> None:
    """An old signed transaction never runs again: at once, after 600 more, and after its blockhash has expired."""
    recipient = Keypair().pubkey()
    transaction = chain.signed([pay(payer, recipient, SOL)], payer)
    chain.send(transaction)
    processed = ("AlreadyProcessed", "This transaction has already been processed")
    assert refusal(chain, transaction) == processed
    blockhash, others = chain.blockhash(), Keypair().pubkey()
    steps = ([pay(payer, others, SOL + each)] for each in range(600))
    chain.call("requestAirdrop", str(payer.pubkey()), 1_000 * SOL)
    for step in steps:
        message = Message.new_with_blockhash(step, payer.pubkey(), blockhash)
        chain.send(encoded(VersionedTransaction(message, [payer])))
    assert refusal(chain, transaction) == processed
    chain.call("chorale_advanceSlots", 200)
    assert refusal(chain, transaction)[0] == "BlockhashNotFound"
    chain.send(transaction, skipPreflight=True)
    assert chain.balance(recipient) == SOL


def test_insufficient_funds(chain: Localnet, payer: Keypair) -> None:
    """A payment beyond the balance fails with the program's own error and logs, and costs nothing in preflight."""
    transaction = chain.signed([pay(payer, Keypair().pubkey(), 11 * SOL)], payer)
    error = chain.error("sendTransaction", transaction, BASE64)
    assert error["message"].endswith("Error processing Instruction 0: custom program error: 0x1")
    assert error["data"]["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert "insufficient lamports" in " ".join(error["data"]["logs"])
    assert chain.balance(payer.pubkey()) == 10 * SOL


def test_failure_without_preflight_lands_and_pays(chain: Localnet, payer: Keypair) -> None:
    """Sent past preflight, a failing transaction lands with its error and its fee, once."""
    signature = chain.send(chain.signed([pay(payer, Keypair().pubkey(), 11 * SOL)], payer), skipPreflight=True)
    [status] = chain.call("getSignatureStatuses", [signature])["value"]
    assert status["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert status["status"] == {"Err": status["err"]}
    assert chain.balance(payer.pubkey()) == 10 * SOL - 5_000


def test_payers_that_cannot_pay(chain: Localnet) -> None:
    """An unknown payer is refused, and one that the fee would leave below rent-exempt keeps what it has."""
    unknown, poor = Keypair(), chain.funded(891_000)
    assert refusal(chain, chain.signed([pay(unknown, poor.pubkey(), 1)], unknown))[0] == "AccountNotFound"
    for amount in (0, 10 * SOL):
        transaction = chain.signed([pay(poor, poor.pubkey(), amount)], poor)
        assert refusal(chain, transaction)[0] == {"InsufficientFundsForRent": {"account_index": 0}}
        chain.send(transaction, skipPreflight=True)
    assert chain.balance(poor.pubkey()) == 891_000


def test_rent(chain: Localnet, payer: Keypair) -> None:
    """Nothing may be left between nothing and rent-exempt."""
    recipient = Keypair().pubkey()
    transaction = chain.signed([pay(payer, recipient, 10)], payer)
    err, text = refusal(chain, transaction)
    assert err == {"InsufficientFundsForRent": {"account_index": 1}}
    assert text == "Transaction results in an account (1) with insufficient funds for rent"
    assert chain.call("simulateTransaction", transaction, BASE64)["value"]["err"] == err
    chain.send(transaction, skipPreflight=True)
    assert (chain.balance(payer.pubkey()), chain.balance(recipient)) == (10 * SOL - 5_000, 0)


def test_programs_that_are_none(chain: Localnet, payer: Keypair) -> None:
    """Missing programs and plain accounts cannot be called."""
    nowhere = Instruction(Keypair().pubkey(), b"", [])
    assert refusal(chain, chain.signed([nowhere], payer))[0] == "ProgramAccountNotFound"
    purse = Instruction(chain.funded().pubkey(), b"", [])
    assert refusal(chain, chain.signed([purse], payer))[0] == "InvalidProgramForExecution"


def test_durable_nonce_is_refused_clearly(chain: Localnet, payer: Keypair) -> None:
    """A transaction over a nonce instead of a recent blockhash is refused with the reason in its logs."""
    nonce = Keypair()
    chain.send(chain.signed(create_nonce_account(payer.pubkey(), nonce.pubkey(), payer.pubkey(), SOL), payer, nonce))
    message = Message.new_with_nonce([pay(payer, payer.pubkey(), 1)], payer.pubkey(), nonce.pubkey(), payer.pubkey())
    transaction = encoded(VersionedTransaction(message, [payer]))
    for config in (BASE64, {**BASE64, "skipPreflight": True}):
        error = chain.error("sendTransaction", transaction, config)
        assert (error["code"], error["data"]["err"]) == (PREFLIGHT_FAILURE, "BlockhashNotFound")
        assert "durable nonces" in error["data"]["logs"][0]


@pytest.mark.parametrize(
    ("text", "config", "said"),
    [
        ("AAAA", BASE64, "failed to deserialize"),
        ("", BASE64, "failed to deserialize"),
        ("!!!", BASE64, "invalid base64 encoding"),
        ("0OIl", {}, "invalid base58 encoding"),
        ("A" * 3_000, BASE64, "too large"),
        ("A" * 3_000, {}, "too large"),
        ("A" * 268, BASE64, "invalid transaction"),
        ("AAAA", {"encoding": "jsonParsed"}, "unknown variant"),
    ],
)
def test_bytes_that_are_no_transaction(chain: Localnet, text: str, config: dict[str, str], said: str) -> None:
    """Truncated, foreign and oversized bytes are invalid parameters."""
    error = chain.error("sendTransaction", text, config)
    assert error["code"] == -32602 and said in error["message"]


def test_airdrops_of_the_same_amount_all_arrive(chain: Localnet) -> None:
    """Equal airdrops within one blockhash are transactions of their own."""
    wallet = Keypair().pubkey()
    signatures = {chain.call("requestAirdrop", str(wallet), SOL) for _ in range(5)}
    assert len(signatures) == 5 and chain.balance(wallet) == 5 * SOL
