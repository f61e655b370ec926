"""What has landed can be listed, paged and read again in every encoding."""

from __future__ import annotations

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from tests.contract.localnet.harness import SOL, Localnet, encoded, pay

SYSTEM = Pubkey.default()
TABLES = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


def test_signatures_for_address_pages(chain: Localnet) -> None:
    """Newest first, before and until exclusive, limit kept; an unknown `before` has nothing behind it."""
    payer, recipient = chain.funded(), Keypair().pubkey()
    sent = [chain.send(chain.signed([pay(payer, recipient, SOL + each)], payer)) for each in range(5)][::-1]

    def listed(**config: object) -> list[str]:
        return [entry["signature"] for entry in chain.call("getSignaturesForAddress", str(recipient), config)]

    assert listed() == sent
    assert listed(limit=2) == sent[:2]
    assert listed(before=sent[1], limit=2) == sent[2:4]
    assert listed(until=sent[3]) == sent[:3]
    assert listed(before=sent[0], until=sent[3]) == sent[1:3]
    assert listed(before=str(Keypair().sign_message(b""))) == []


def test_memo(chain: Localnet) -> None:
    """Memos show in the history with their length."""
    payer = chain.funded()
    chain.send(chain.signed([Instruction(MEMO, "grüße".encode(), [])], payer))
    [entry, _] = chain.call("getSignaturesForAddress", str(payer.pubkey()))
    assert entry["memo"] == "[7] grüße"
    assert entry["confirmationStatus"] == "finalized"


def test_versioned_transaction(chain: Localnet) -> None:
    """A version 0 transaction is only shown to those who ask for it, in each encoding."""
    payer = chain.funded()
    message = MessageV0.try_compile(payer.pubkey(), [pay(payer, Keypair().pubkey(), SOL)], [], chain.blockhash())
    transaction = encoded(VersionedTransaction(message, [payer]))
    signature = chain.send(transaction)
    error = chain.error("getTransaction", signature, {"encoding": "json"})
    assert error["code"] == -32015 and '"maxSupportedTransactionVersion": 0' in error["message"]
    wanted = {"maxSupportedTransactionVersion": 0}
    as_json = chain.call("getTransaction", signature, {**wanted, "encoding": "json"})
    assert as_json["version"] == 0 and as_json["meta"]["fee"] == 5_000
    assert as_json["meta"]["preBalances"][0] - as_json["meta"]["postBalances"][0] == SOL + 5_000
    assert chain.call("getTransaction", signature, {**wanted, "encoding": "base64"})["transaction"][0] == transaction
    parsed = chain.call("getTransaction", signature, {**wanted, "encoding": "jsonParsed"})["transaction"]["message"]
    assert parsed["accountKeys"][0] == {
        "pubkey": str(payer.pubkey()),
        "signer": True,
        "source": "transaction",
        "writable": True,
    }
    assert parsed["instructions"][0]["programId"] == str(Pubkey.default())
    block = chain.call("getBlock", as_json["slot"], {**wanted, "transactionDetails": "signatures"})
    assert signature in block["signatures"] and block["blockHeight"] == as_json["slot"]


def test_legacy_transaction_has_no_version_unless_asked(chain: Localnet) -> None:
    """Old transactions are shown to all, and as `legacy` to those who ask."""
    payer = chain.funded()
    signature = chain.send(chain.signed([pay(payer, Keypair().pubkey(), SOL)], payer))
    assert "version" not in chain.call("getTransaction", signature)
    assert chain.call("getTransaction", signature, {"maxSupportedTransactionVersion": 0})["version"] == "legacy"
    assert chain.call("getTransaction", str(Keypair().sign_message(b""))) is None


def test_old_statuses_need_a_search(chain: Localnet) -> None:
    """Statuses are kept at hand for 300 slots, and found in the history for ever."""
    payer = chain.funded()
    signature = chain.send(chain.signed([pay(payer, Keypair().pubkey(), SOL)], payer))
    [status] = chain.call("getSignatureStatuses", [signature])["value"]
    assert (status["err"], status["confirmations"], status["confirmationStatus"]) == (None, None, "finalized")
    chain.call("chorale_advanceSlots", 301)
    assert chain.call("getSignatureStatuses", [signature])["value"] == [None]
    searched = chain.call("getSignatureStatuses", [signature], {"searchTransactionHistory": True})["value"]
    assert searched == [status]


def test_simulation_changes_nothing(chain: Localnet) -> None:
    """A simulation shows the accounts as they would be, unsigned too, and leaves them as they are."""
    payer, recipient = chain.funded(), Keypair().pubkey()
    message = MessageV0.try_compile(payer.pubkey(), [pay(payer, recipient, SOL)], [], chain.blockhash())
    unsigned = VersionedTransaction.populate(message, [Keypair().sign_message(b"")])
    wanted = {"encoding": "base64", "addresses": [str(recipient), str(Keypair().pubkey())]}
    config = {"encoding": "base64", "accounts": wanted, "innerInstructions": True}
    value = chain.call("simulateTransaction", encoded(unsigned), config)["value"]
    assert value["err"] is None and value["unitsConsumed"] == 150 and value["innerInstructions"] == []
    assert [account and account["lamports"] for account in value["accounts"]] == [SOL, None]
    verified = chain.call("simulateTransaction", encoded(unsigned), {**config, "sigVerify": True})["value"]
    assert verified["err"] == "SignatureFailure"
    both = {"encoding": "base64", "sigVerify": True, "replaceRecentBlockhash": True}
    assert chain.error("simulateTransaction", encoded(unsigned), both)["code"] == -32602
    chain.call("chorale_advanceSlots", 151)
    assert chain.call("simulateTransaction", encoded(unsigned), config)["value"]["err"] == "BlockhashNotFound"
    replaced = chain.call("simulateTransaction", encoded(unsigned), {**config, "replaceRecentBlockhash": True})["value"]
    assert replaced["err"] is None and replaced["replacementBlockhash"]["lastValidBlockHeight"] > 0
    assert (chain.balance(payer.pubkey()), chain.balance(recipient)) == (10 * SOL, 0)


def test_lookup_table(chain: Localnet) -> None:
    """A transaction reaches accounts through a lookup table made here, and their history and meta show it."""
    payer, recipient = chain.funded(), Keypair().pubkey()
    slot = chain.call("getSlot") - 1
    table, bump = Pubkey.find_program_address([bytes(payer.pubkey()), slot.to_bytes(8, "little")], TABLES)
    authority, system = (AccountMeta(key, signer, False) for key, signer in ((payer.pubkey(), True), (SYSTEM, False)))
    accounts = [AccountMeta(table, False, True), authority, AccountMeta(payer.pubkey(), True, True), system]
    make = (0).to_bytes(4, "little") + slot.to_bytes(8, "little") + bytes([bump])
    extend = (2).to_bytes(4, "little") + (1).to_bytes(8, "little") + bytes(recipient)
    chain.send(chain.signed([Instruction(TABLES, make, accounts), Instruction(TABLES, extend, accounts)], payer))
    chain.call("chorale_advanceSlots", 1)  # entries count from the slot after
    known = AddressLookupTableAccount(table, [recipient])
    message = MessageV0.try_compile(payer.pubkey(), [pay(payer, recipient, SOL)], [known], chain.blockhash())
    assert recipient not in message.account_keys
    signature = chain.send(encoded(VersionedTransaction(message, [payer])))
    assert chain.balance(recipient) == SOL
    shown = chain.call("getTransaction", signature, {"maxSupportedTransactionVersion": 0})
    assert shown["meta"]["loadedAddresses"] == {"writable": [str(recipient)], "readonly": []}
    assert shown["meta"]["postBalances"][-1] == SOL
    assert shown["transaction"]["message"]["addressTableLookups"][0]["accountKey"] == str(table)
    assert [entry["signature"] for entry in chain.call("getSignaturesForAddress", str(recipient))] == [signature]
