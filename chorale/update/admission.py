"""What can be said of a signed transaction without asking anyone: that it is exactly the expected one, and complete."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from chorale.domain.commands import Command
from chorale.domain.content import body_problem
from chorale.domain.updates import Refusal, RefusedError
from chorale.update.kinds import KINDS, Kind
from chorale.update.refusals import content_mismatch, invalid_input, transaction_invalid
from programs import identity
from programs.addresses import ASSOCIATED_TOKEN_PROGRAM, COMPUTE_BUDGET_PROGRAM
from programs.associated import associated_account_made
from programs.instruction_codec import DecodedInstruction
from programs.transactions import (
    DecodedTransaction,
    TransactionInstruction,
    TransactionMalformed,
    check_signatures,
    decode_transaction,
)
from programs.wire import WireError, hash_bytes

# Beside the one instruction: what wallets add by themselves.
_GUARD_PROGRAM = "L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAn1qA3S95"
_CLIENT_MUTATION_ID_CHARS = 128
_ALLOWED_BESIDE = frozenset({COMPUTE_BUDGET_PROGRAM, _GUARD_PROGRAM})


@dataclass(frozen=True, slots=True)
class Admission:
    """A transaction that is what its command says. `text` and `salt` are None where the kind has no text.

    `index` is the instruction's place in the transaction; `digest` is equal where instruction and content are.
    `wallet` is the one that this is done for, `signer` the one whose signature brings it about: the same, but the fee
    payer where the wallet does not sign.
    """

    kind: Kind
    transaction: DecodedTransaction
    instruction: DecodedInstruction
    index: int
    wallet: str
    signer: str
    text: str | None
    salt: str | None
    digest: str

    @property
    def signature(self) -> str:
        """The transaction's id."""
        return self.transaction.signature

    def number(self, argument: str) -> int:
        """An integer argument of the instruction."""
        return int(self.instruction.args[argument])

    def hash(self, argument: str) -> str:
        """A hash argument of the instruction."""
        return str(self.instruction.args[argument])


def admit(command: Command, program_id: str) -> Admission:
    """Check everything that needs neither chain nor store. Raises RefusedError."""
    kind = KINDS[type(command)]
    text, salt = _text(command, kind)
    try:
        transaction = decode_transaction(command.signed_transaction, program_id)
    except TransactionMalformed as error:
        raise RefusedError(transaction_invalid("MALFORMED", str(error))) from error
    if transaction.uses_durable_nonce:
        raise _invalid("DURABLE_NONCE", "A durable nonce would keep the transaction valid for ever.")
    index, instruction = _instruction(transaction, program_id, kind)
    wallet = instruction.accounts[kind.actor] if kind.actor else transaction.fee_payer
    signs = wallet in transaction.signers
    if kind.signs and not signs:
        raise _invalid("SIGNATURE_MISSING", f"The {kind.actor} {wallet} is not a signer.")
    check = check_signatures(transaction)
    if check.missing:
        raise RefusedError(
            transaction_invalid(
                "SIGNATURE_MISSING", f"{', '.join(check.missing)} did not sign. Sign with every wallet."
            )
        )
    if check.wrong:
        raise RefusedError(
            transaction_invalid(
                "SIGNATURE_WRONG",
                f"The signature of {', '.join(check.wrong)} is not over this transaction. Sign again.",
            )
        )
    if kind.text is not None and text is not None and salt is not None:
        expected = str(instruction.args[kind.text.hash_argument])
        actual = (identity.title_hash if kind.text.field == "title" else identity.body_hash)(salt, text)
        if actual != expected:
            raise RefusedError(content_mismatch(kind.text.field, expected, actual))
    return Admission(
        kind=kind,
        transaction=transaction,
        instruction=instruction,
        index=index,
        wallet=wallet,
        signer=wallet if signs else transaction.fee_payer,
        text=text,
        salt=salt,
        digest=_digest(instruction, text, salt),
    )


def _text(command: Command, kind: Kind) -> tuple[str | None, str | None]:
    own = command.own_text
    if own is None or kind.text is None:
        return None, None
    text, salt = own
    problem = body_problem(text, kind.text.limit)
    if problem is not None:
        raise RefusedError(invalid_input(problem, kind.text.field))
    try:
        hash_bytes(salt)
    except WireError as error:
        raise RefusedError(invalid_input(str(error), "salt")) from error
    return text, salt


def _instruction(transaction: DecodedTransaction, program_id: str, kind: Kind) -> tuple[int, DecodedInstruction]:
    """The one instruction and its place. Beside it nothing else of the program, and of others only what is allowed."""
    found: list[tuple[int, DecodedInstruction]] = []
    beside: list[tuple[int, TransactionInstruction]] = []
    for index, part in enumerate(transaction.instructions):
        if part.decoded is not None:
            found.append((index, part.decoded))
        elif part.program_id == ASSOCIATED_TOKEN_PROGRAM and kind.payee is not None:
            beside.append((index, part))
        elif part.program_id not in _ALLOWED_BESIDE:
            raise _invalid("FOREIGN_INSTRUCTION", f"Instruction {index} calls {part.program_id}.")
    if len(found) != 1 or found[0][1].name != kind.instruction:
        held = ", ".join(instruction.name for _, instruction in found) or f"none of {program_id}"
        raise _invalid(
            "WRONG_INSTRUCTION", f"Exactly one {kind.instruction} is expected, the transaction holds {held}."
        )
    for place, (index, part) in enumerate(beside):
        if place or not _makes_destination(part, found[0][1], kind):
            raise _invalid("FOREIGN_INSTRUCTION", f"Instruction {index} makes another account than the destination.")
    return found[0]


def _makes_destination(part: TransactionInstruction, payout: DecodedInstruction, kind: Kind) -> bool:
    """Whether it makes just the payee's associated account that is paid into; its mint is then the vault's, or the
    payout fails."""
    made = associated_account_made(part.data, part.accounts)
    return made is not None and made == (payout.accounts[kind.payee or ""], payout.accounts["destination"])


def _invalid(code: str, explanation: str) -> RefusedError:
    return RefusedError(transaction_invalid(code, f"{explanation} Sign what `prepare` returned."))


def _digest(instruction: DecodedInstruction, text: str | None, salt: str | None) -> str:
    parts = (
        instruction.name,
        repr(sorted(instruction.args.items())),
        repr(sorted(instruction.accounts.items())),
        repr((text, salt)),
    )
    return sha256("\n".join(parts).encode()).hexdigest()


def check_idempotency_key(key: str | None, limit: int) -> Refusal | None:
    """Why a key cannot be used; None where it can, or where there is none."""
    if key is None or (0 < len(key) <= limit and key.isprintable()):
        return None
    return invalid_input(f"An idempotency key has 1 to {limit} printable characters. Send another.", "idempotencyKey")


def check_client_mutation_id(given: str | None) -> Refusal | None:
    """Why an id of the client's own cannot be taken; None where it can, or where there is none."""
    if given is None or len(given) <= _CLIENT_MUTATION_ID_CHARS:
        return None
    return invalid_input(
        f"A client mutation id has {_CLIENT_MUTATION_ID_CHARS} characters at most. Send a shorter one.",
        "clientMutationId",
    )
