"""The interface as Anchor IDLs, made from `programs.interface`: the form before 0.30, which anchorpy reads, and the
one since, which TypeScript clients are generated from.

`python -m programs.idl` writes both files into `programs/idl/`; with `--check` it fails where one is not what the
tables say.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chorale.domain.program_errors import ProgramError
from programs.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM
from programs.interface import (
    ACCOUNTS,
    EVENTS,
    HEADER,
    INSTRUCTIONS,
    RESERVED_BYTES,
    TREE_DEPTH,
    AccountRole,
    AccountSpec,
    EventSpec,
    InstructionSpec,
    VectorSpec,
)
from programs.wire import HASH_BYTES, Field, Kind

FOLDER = Path(__file__).with_name("idl")
VERSION = "0.1.0"

# No id is compiled in: clients put their deployment's here.
ANY_ADDRESS = "1" * 32

_MAY_SIGN = "May sign; must sign for a destination that is not its associated token account."

_BYTES32 = {"array": ["u8", HASH_BYTES]}
_TYPES: dict[Kind, Any] = {Kind.KEY: "publicKey", Kind.HASH: _BYTES32}
_FIXED = {"system_program": SYSTEM_PROGRAM, "token_program": TOKEN_PROGRAM}


def legacy() -> dict[str, Any]:
    """The form before 0.30 as JSON data."""
    vectors = [account.vector for account in ACCOUNTS.values() if account.vector is not None]
    return {
        "version": VERSION,
        "name": "chorale",
        "instructions": [_instruction(spec) for spec in INSTRUCTIONS.values()],
        "accounts": [{"name": spec.name, "type": _struct(_account_fields(spec))} for spec in ACCOUNTS.values()],
        "types": [{"name": vector.type_name, "type": _struct(_fields(vector.item.fields))} for vector in vectors],
        "events": [_event(spec) for spec in EVENTS.values()],
        "errors": _errors(),
    }


def modern() -> dict[str, Any]:
    """The form since 0.30 as JSON data: snake case, discriminators, every struct among the types."""
    structs = [*legacy()["accounts"], *legacy()["types"]]
    types = [{"name": entry["name"], "type": _struct(_modern_fields(entry["type"]["fields"]))} for entry in structs]
    types += [
        {"name": spec.name, "type": _struct(_modern_fields(_fields(spec.record.fields)))} for spec in EVENTS.values()
    ]
    return {
        "address": ANY_ADDRESS,
        "metadata": {"name": "chorale", "version": VERSION, "spec": "0.1.0"},
        "instructions": [_modern_instruction(spec) for spec in INSTRUCTIONS.values()],
        "accounts": [_discriminated(spec) for spec in ACCOUNTS.values()],
        "events": [_discriminated(spec) for spec in EVENTS.values()],
        "errors": _errors(),
        "types": types,
    }


def files() -> dict[Path, str]:
    """The exact text of both IDL files, by path."""
    forms = {FOLDER / "chorale.legacy.json": legacy(), FOLDER / "chorale.json": modern()}
    return {path: json.dumps(form, indent=2, ensure_ascii=False) + "\n" for path, form in forms.items()}


def _instruction(spec: InstructionSpec) -> dict[str, Any]:
    return {
        "name": _camel(spec.name),
        "accounts": [_role(role) for role in spec.accounts],
        "args": _fields(spec.args.fields),
    }


def _role(role: AccountRole) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": _camel(role.name), "isMut": role.writable, "isSigner": role.signer}
    if role.optional_signer:
        entry["docs"] = [_MAY_SIGN]
    return entry


def _event(spec: EventSpec) -> dict[str, Any]:
    return {"name": spec.name, "fields": [{**field, "index": False} for field in _fields(spec.record.fields)]}


def _account_fields(spec: AccountSpec) -> list[dict[str, Any]]:
    listed = _fields((*HEADER, *spec.fixed))
    if spec.frontier:
        listed.append({"name": "frontier", "type": {"array": [_BYTES32, TREE_DEPTH]}})
    listed.append({"name": "reserved", "type": {"array": ["u8", RESERVED_BYTES]}})
    if spec.vector is not None:
        listed.append(_vector(spec.vector))
    return listed


def _vector(vector: VectorSpec) -> dict[str, Any]:
    return {"name": _camel(vector.name), "type": {"vec": {"defined": vector.type_name}}}


def _struct(listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "struct", "fields": listed}


def _fields(members: Iterable[Field]) -> list[dict[str, Any]]:
    return [{"name": _camel(field.name), "type": _TYPES.get(field.kind, field.kind.value)} for field in members]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _modern_instruction(spec: InstructionSpec) -> dict[str, Any]:
    accounts = []
    for role in spec.accounts:
        entry: dict[str, Any] = {"name": role.name}
        entry |= {"docs": [_MAY_SIGN]} if role.optional_signer else {}
        entry |= {"writable": True} if role.writable else {}
        entry |= {"signer": True} if role.signer else {}
        entry |= {"address": _FIXED[role.name]} if role.name in _FIXED else {}
        accounts.append(entry)
    return {**_discriminated(spec), "accounts": accounts, "args": _modern_fields(_fields(spec.args.fields))}


def _discriminated(spec: InstructionSpec | AccountSpec | EventSpec) -> dict[str, Any]:
    return {"name": spec.name, "discriminator": list(spec.discriminator)}


def _modern_fields(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": _snake(field["name"]), "type": _modern_type(field["type"])} for field in listed]


def _modern_type(described: Any) -> Any:
    match described:
        case "publicKey":
            return "pubkey"
        case {"vec": {"defined": name}}:
            return {"vec": {"defined": {"name": name}}}
        case _:
            return described


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)


def _errors() -> list[dict[str, Any]]:
    return [{"code": error.value, "name": error.title, "msg": error.explanation} for error in ProgramError]


def main() -> int:
    """Writes or checks the files; the exit status is 1 on drift."""
    parser = argparse.ArgumentParser(description="Write the program's IDL in both forms.")
    parser.add_argument("--check", action="store_true", help="fail where a committed file differs")
    check: bool = parser.parse_args().check
    for path, text in files().items():
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path} is not what the interface says: run `python -m programs.idl` and commit it.\n")
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
