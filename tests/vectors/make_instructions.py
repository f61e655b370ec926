"""Writes tests/vectors/instructions.json: every instruction as this client builds it, and what it was built from.

Run `python -m tests.vectors.make_instructions`. Inputs are those of a builder that is bound to the program's address
and derives nothing: keys of accounts, and arguments with bytes as hex and whole numbers as decimals.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from programs import identity, instructions
from programs.addresses import ProgramAddresses
from programs.interface import INSTRUCTIONS
from programs.wire import Kind
from tests.vectors.make_events import camel

FILE = Path(__file__).with_name("instructions.json")


def _hash(text: str) -> str:
    return sha256(f"chorale instruction vector {text}".encode()).hexdigest()


def _key(text: str) -> str:
    return str(Pubkey(bytes.fromhex(_hash(text))))


PROGRAM = ProgramAddresses(_key("program"))
CREATOR, AUTHOR, NONCE = _key("creator"), _key("author"), 2**64 - 2
THREAD_ID = identity.thread_id(CREATOR, NONCE)
BODY_HASH = _hash("body")
CONTENT_HASH = identity.content_hash(THREAD_ID, AUTHOR, NONCE, BODY_HASH)


def built() -> dict[str, Instruction]:
    """Each instruction by its name; refund is not signed by its payee, claim is."""
    of_thread: dict[str, Any] = {"thread_id": THREAD_ID}
    of_message: dict[str, Any] = {**of_thread, "content_hash": CONTENT_HASH}
    written: dict[str, Any] = {**of_thread, "body_hash": BODY_HASH, "nonce": NONCE, "author": AUTHOR}
    payer, admin, mint, destination = _key("payer"), _key("admin"), _key("mint"), _key("destination")
    amounts: dict[str, Any] = {"minimum_stake": 2**63, "approval_window": 604_800}
    return {
        "initialize": instructions.initialize(
            PROGRAM, payer=payer, admin=admin, mint=mint, allow_freezable=True, **amounts
        ),
        "configure": instructions.configure(PROGRAM, admin=admin, new_admin=_key("new admin"), **amounts),
        "withdraw_treasury": instructions.withdraw_treasury(PROGRAM, admin=admin, destination=destination, amount=1),
        "create_thread": instructions.create_thread(
            PROGRAM, payer=payer, creator=CREATOR, mint=mint, nonce=NONCE, title_hash=_hash("title")
        ),
        "post_message": instructions.post_message(PROGRAM, payer=payer, **written),
        "submit_message": instructions.submit_message(
            PROGRAM, payer=payer, source=_key("source"), stake=2**53 + 1, max_expires_at=2**62 + 1, **written
        ),
        "cast_vote": instructions.cast_vote(PROGRAM, payer=payer, voter=_key("voter"), approve=True, **of_message),
        "resolve": instructions.resolve(PROGRAM, payer=payer, **of_message),
        "expire": instructions.expire(PROGRAM, **of_message),
        "cancel": instructions.cancel(PROGRAM, author=AUTHOR, **of_message),
        "refund": instructions.refund(PROGRAM, payee=AUTHOR, destination=destination, **of_message),
        "claim": instructions.claim(
            PROGRAM, payee=_key("payee"), destination=destination, payee_signs=True, **of_message
        ),
        "divest": instructions.divest(
            PROGRAM, co_author=_key("co-author"), destination=destination, min_payout=3, **of_thread
        ),
        "sweep": instructions.sweep(PROGRAM, **of_thread),
    }


def _vector(name: str, instruction: Instruction) -> dict[str, Any]:
    spec = INSTRUCTIONS[name]
    metas = [
        {"address": str(meta.pubkey), "signer": meta.is_signer, "writable": meta.is_writable}
        for meta in instruction.accounts
    ]
    values = spec.args.decode(bytes(instruction.data), 8)
    numbers = {field.name for field in spec.args.fields if field.kind in (Kind.U8, Kind.U32, Kind.U64, Kind.I64)}
    args = {camel(name): str(value) if name in numbers else value for name, value in values.items()}
    accounts = {camel(role.name): meta for role, meta in zip(spec.accounts, metas, strict=True)}
    return {"name": camel(name), "accounts": accounts, "args": args, "data": bytes(instruction.data).hex()}


def whole() -> dict[str, Any]:
    """All that the file holds."""
    vectors = [_vector(name, instruction) for name, instruction in built().items()]
    addresses = {
        "protocol": PROGRAM.protocol(),
        "treasury": PROGRAM.treasury(),
        "thread": PROGRAM.thread(THREAD_ID),
        "vault": PROGRAM.vault(PROGRAM.thread(THREAD_ID)),
        "message": PROGRAM.message(PROGRAM.thread(THREAD_ID), CONTENT_HASH),
    }
    identities = {"creator": CREATOR, "author": AUTHOR, "nonce": str(NONCE), "bodyHash": BODY_HASH}
    hashes = {"threadId": THREAD_ID, "contentHash": CONTENT_HASH}
    return {"programId": PROGRAM.program_id, **identities, **hashes, "addresses": addresses, "instructions": vectors}


if __name__ == "__main__":
    FILE.write_text(json.dumps(whole(), indent=1) + "\n")
