"""Builders of the program's fourteen instructions. Keys are base58, hashes hex, amounts base units.

Builders derive every address they can and raise WireError on malformed values; they check no rule of the program.
"""

from __future__ import annotations

from solders.instruction import Instruction

from programs import identity
from programs.addresses import ProgramAddresses
from programs.instruction_codec import DecodedInstruction, decode_instruction, encode_instruction

__all__ = [
    "DecodedInstruction",
    "Instruction",
    "cancel",
    "cast_vote",
    "claim",
    "configure",
    "create_thread",
    "decode_instruction",
    "divest",
    "encode_instruction",
    "expire",
    "initialize",
    "post_message",
    "refund",
    "resolve",
    "submit_message",
    "sweep",
    "withdraw_treasury",
]


def initialize(
    program: ProgramAddresses,
    *,
    payer: str,
    admin: str,
    mint: str,
    minimum_stake: int,
    approval_window: int,
    allow_freezable: bool = False,
) -> Instruction:
    """Makes `Protocol` and the treasury, once; the program's own keypair signs beside `admin`. Window in seconds."""
    return encode_instruction(
        program.program_id,
        "initialize",
        {"minimum_stake": minimum_stake, "approval_window": approval_window, "allow_freezable": allow_freezable},
        {
            "payer": payer,
            "admin": admin,
            "program_key": program.program_id,
            "protocol": program.protocol(),
            "treasury": program.treasury(),
            "mint": mint,
        },
    )


def configure(
    program: ProgramAddresses, *, admin: str, new_admin: str, minimum_stake: int, approval_window: int
) -> Instruction:
    """Sets the parameters and the admin; both admins sign."""
    return encode_instruction(
        program.program_id,
        "configure",
        {"minimum_stake": minimum_stake, "approval_window": approval_window, "admin": new_admin},
        {"admin": admin, "new_admin": new_admin, "protocol": program.protocol()},
    )


def withdraw_treasury(program: ProgramAddresses, *, admin: str, destination: str, amount: int) -> Instruction:
    """Pays `amount` of the treasury into the token account `destination`."""
    accounts = {
        "admin": admin,
        "protocol": program.protocol(),
        "treasury": program.treasury(),
        "destination": destination,
    }
    return encode_instruction(program.program_id, "withdraw_treasury", {"amount": amount}, accounts)


def create_thread(
    program: ProgramAddresses, *, payer: str, creator: str, mint: str, nonce: int, title_hash: str
) -> Instruction:
    """Makes a thread and its vault for the protocol's `mint`."""
    thread = program.thread(identity.thread_id(creator, nonce))
    return encode_instruction(
        program.program_id,
        "create_thread",
        {"nonce": nonce, "title_hash": title_hash},
        {
            "payer": payer,
            "creator": creator,
            "protocol": program.protocol(),
            "thread": thread,
            "vault": program.vault(thread),
            "mint": mint,
        },
    )


def post_message(
    program: ProgramAddresses, *, payer: str, author: str, thread_id: str, body_hash: str, nonce: int
) -> Instruction:
    """Publishes a co-author's message at once."""
    content_hash = identity.content_hash(thread_id, author, nonce, body_hash)
    accounts = {"payer": payer, "author": author, **_message(program, thread_id, content_hash)}
    return encode_instruction(program.program_id, "post_message", {"body_hash": body_hash, "nonce": nonce}, accounts)


def submit_message(
    program: ProgramAddresses,
    *,
    payer: str,
    author: str,
    source: str,
    thread_id: str,
    body_hash: str,
    nonce: int,
    stake: int,
    max_expires_at: int,
) -> Instruction:
    """Submits an outsider's message with `stake` base units from the author's token account `source`."""
    content_hash = identity.content_hash(thread_id, author, nonce, body_hash)
    return encode_instruction(
        program.program_id,
        "submit_message",
        {"body_hash": body_hash, "nonce": nonce, "stake": stake, "max_expires_at": max_expires_at},
        {
            "payer": payer,
            "author": author,
            "protocol": program.protocol(),
            "vault": program.vault(program.thread(thread_id)),
            "source": source,
            **_message(program, thread_id, content_hash),
        },
    )


def cast_vote(
    program: ProgramAddresses, *, payer: str, voter: str, thread_id: str, content_hash: str, approve: bool
) -> Instruction:
    """Records a co-author's vote and evaluates."""
    accounts = {"payer": payer, "voter": voter, **_message(program, thread_id, content_hash)}
    return encode_instruction(program.program_id, "cast_vote", {"approve": approve}, accounts)


def resolve(program: ProgramAddresses, *, payer: str, thread_id: str, content_hash: str) -> Instruction:
    """Evaluates an open message again."""
    accounts = {"payer": payer, **_message(program, thread_id, content_hash)}
    return encode_instruction(program.program_id, "resolve", {}, accounts)


def expire(program: ProgramAddresses, *, thread_id: str, content_hash: str) -> Instruction:
    """Ends a message whose window has passed."""
    return encode_instruction(program.program_id, "expire", {}, _message(program, thread_id, content_hash))


def cancel(program: ProgramAddresses, *, author: str, thread_id: str, content_hash: str) -> Instruction:
    """Takes an own message back before the first vote."""
    accounts = {"author": author, **_message(program, thread_id, content_hash)}
    return encode_instruction(program.program_id, "cancel", {}, accounts)


def refund(
    program: ProgramAddresses,
    *,
    payee: str,
    destination: str,
    thread_id: str,
    content_hash: str,
    payee_signs: bool = False,
) -> Instruction:
    """Pays the stake of an expired or cancelled message back; `payee` is its author, who signs for another account
    than their associated one."""
    return _payout(program, "refund", payee, destination, thread_id, content_hash, payee_signs)


def claim(
    program: ProgramAddresses,
    *,
    payee: str,
    destination: str,
    thread_id: str,
    content_hash: str,
    payee_signs: bool = False,
) -> Instruction:
    """Pays a denier's share; `payee` is the denier, who signs for another account than their associated one."""
    return _payout(program, "claim", payee, destination, thread_id, content_hash, payee_signs)


def divest(
    program: ProgramAddresses, *, co_author: str, destination: str, thread_id: str, min_payout: int
) -> Instruction:
    """Leaves a thread with a share of its balance, at least `min_payout`."""
    thread = program.thread(thread_id)
    accounts = {"co_author": co_author, "thread": thread, "vault": program.vault(thread), "destination": destination}
    return encode_instruction(program.program_id, "divest", {"min_payout": min_payout}, accounts)


def sweep(program: ProgramAddresses, *, thread_id: str) -> Instruction:
    """Moves what a thread owes the treasury, and unasked deposits."""
    thread = program.thread(thread_id)
    accounts = {
        "protocol": program.protocol(),
        "thread": thread,
        "vault": program.vault(thread),
        "treasury": program.treasury(),
    }
    return encode_instruction(program.program_id, "sweep", {}, accounts)


def _message(program: ProgramAddresses, thread_id: str, content_hash: str) -> dict[str, str]:
    thread = program.thread(thread_id)
    return {"thread": thread, "message": program.message(thread, content_hash)}


def _payout(
    program: ProgramAddresses,
    name: str,
    payee: str,
    destination: str,
    thread_id: str,
    content_hash: str,
    payee_signs: bool,
) -> Instruction:
    message = _message(program, thread_id, content_hash)
    accounts = {"payee": payee, "vault": program.vault(message["thread"]), "destination": destination, **message}
    return encode_instruction(
        program.program_id, name, {}, accounts, signers={"payee"} if payee_signs else frozenset[str]()
    )
