"""How the IDLs tell clients where accounts are: fixed addresses, seeds of derived ones, and the program's constants."""

from __future__ import annotations

from typing import Any

from chorale.domain.accounts import NO_LEAF
from programs.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM
from programs.interface import ACCOUNT_VERSION, MAX_CO_AUTHORS, TREE_DEPTH

Seed = dict[str, Any]

# No id is compiled in: clients put their deployment's here.
ANY_ADDRESS = "1" * 32

FIXED = {"system_program": SYSTEM_PROGRAM, "token_program": TOKEN_PROGRAM}

_SEEDS = ("protocol", "treasury", "thread", "vault", "message")

# Of a thread or message that its instruction makes, the last seed is a hash of the signer's: no IDL can say so.
_MADE = {("create_thread", "thread"), ("post_message", "message"), ("submit_message", "message")}


def seeds(instruction: str, role: str) -> list[Seed] | None:
    """Seeds of the derived account in that place, in the form since 0.30; None where there are none to tell."""
    if role not in _SEEDS or (instruction, role) in _MADE:
        return None
    rest: dict[str, list[Seed]] = {
        "thread": [{"kind": "account", "path": "thread.thread_id", "account": "Thread"}],
        "vault": [{"kind": "account", "path": "thread"}],
        "message": [
            {"kind": "account", "path": "thread"},
            {"kind": "account", "path": "message.content_hash", "account": "Message"},
        ],
    }
    return [{"kind": "const", "value": list(role.encode())}, *rest.get(role, [])]


def constants() -> list[dict[str, str]]:
    """Constants in the notation of both forms."""
    numbers = [
        ("ACCOUNT_VERSION", "u8", ACCOUNT_VERSION),
        ("MAX_CO_AUTHORS", "u8", MAX_CO_AUTHORS),
        ("NO_LEAF", "u32", NO_LEAF),
        ("TREE_DEPTH", "u8", TREE_DEPTH),
    ]
    return [
        *({"name": name, "type": kind, "value": str(value)} for name, kind, value in numbers),
        *({"name": f"{name.upper()}_SEED", "type": "bytes", "value": str(list(name.encode()))} for name in _SEEDS),
    ]
