"""What was done and what differs, for whoever reads a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from solders.instruction import Instruction

from chorale.domain.model.run import SYSTEM_PROGRAM, TOKEN_PROGRAM
from chorale.domain.model.world import Outcome
from tests.prove.chain import Image

if TYPE_CHECKING:
    from tests.prove.scene import Scene


def words(scene: Scene, instruction: Instruction) -> str:
    """Who and what a call names, in few words."""
    names = {wallet: f"wallet{number}" for number, wallet in enumerate(scene.wallets)}
    names |= {scene.home(wallet): f"home{number}" for number, wallet in enumerate(scene.wallets)}
    names |= {scene.sponsor: "sponsor", scene.broke: "broke", scene.treasury: "treasury", scene.mint: "mint"}
    names |= {scene.protocol_key: "protocol", SYSTEM_PROGRAM: "system", TOKEN_PROGRAM: "token"}
    for number, record in enumerate(scene.threads):
        names |= {record.address: f"thread{number}", record.vault: f"vault{number}"}
        names |= {key: f"message{number}.{i}" for i, key in enumerate(record.message_keys.values())}
    places = [
        names.get(bytes(meta.pubkey), str(meta.pubkey)[:6])
        + ("" if not meta.is_signer else "+")
        + ("" if meta.is_writable else "-")
        for meta in instruction.accounts
    ]
    return f"({' '.join(places)} | {bytes(instruction.data)[8:].hex()})"


def shown(outcome: Outcome) -> str:
    """An outcome in words."""
    return outcome if isinstance(outcome, str) else outcome.name


def first_difference(expected: Image | None, found: Image | None) -> str:
    """Where two accounts differ."""
    if expected is None or found is None:
        return f"{'absent' if expected is None else 'there'} in the model, not so on chain"
    if expected[0] != found[0]:
        return f"{expected[0]} lamports in the model, {found[0]} on chain"
    if expected[1] != found[1]:
        return "another owner"
    offset = next((i for i, (a, b) in enumerate(zip(expected[2], found[2], strict=False)) if a != b), None)
    return f"{len(expected[2])} and {len(found[2])} bytes, first difference at {offset}"
