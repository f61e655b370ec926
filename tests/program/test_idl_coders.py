"""anchorpy, fed with the IDL, reads and writes the very bytes that this client does."""

from __future__ import annotations

import json
import struct
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from chorale.domain.accounts import NO_LEAF, StatusByte
from chorale.domain.events import ProgramEvent
from chorale.domain.program_errors import ProgramError
from chorale.update.program_refusals import from_program
from programs import coders, idl, idl_docs
from programs.events import decode_event, encode_event
from programs.instructions import decode_instruction, encode_instruction
from programs.interface import (
    ACCOUNT_VERSION,
    ACCOUNTS,
    EVENTS,
    HEADER,
    INSTRUCTIONS,
    MAX_CO_AUTHORS,
    TREE_DEPTH,
    AccountSpec,
)
from programs.wire import Field, Kind, Record, Value
from tests.program.anchor import assert_decoded_alike, plain
from tests.vectors import make_instructions
from tests.vectors.make_instructions import CONTENT_HASH, THREAD_ID, built

ADDRESS = str(Pubkey.new_unique())
BYTES32 = st.binary(min_size=32, max_size=32)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.U8: st.integers(0, 2**8 - 1),
    Kind.U32: st.integers(0, 2**32 - 1),
    Kind.U64: st.integers(0, 2**64 - 1),
    Kind.I64: st.integers(-(2**63), 2**63 - 1),
    Kind.BOOL: st.booleans(),
    Kind.KEY: BYTES32.map(lambda raw: str(Pubkey(raw))),
    Kind.HASH: BYTES32.map(bytes.hex),
}
SOME = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow]
)


def _values(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries({field.name: VALUES[field.kind] for field in fields})


@st.composite
def _account_bytes(draw: st.DrawFn, spec: AccountSpec) -> bytes:
    # Written out by hand rather than with the client's own structs, so that a shared mistake shows.
    fixed = draw(_values(spec.fixed))
    if spec.name == "Message":
        fixed["status"] = draw(st.sampled_from(list(StatusByte))).value
    data = spec.discriminator + bytes([1, draw(VALUES[Kind.U8])]) + Record(*spec.fixed).encode(fixed)
    if spec.frontier:
        data += b"".join(draw(st.lists(BYTES32, min_size=20, max_size=20)))
    data += bytes(64)
    if spec.vector is not None:
        items = draw(st.lists(_values(spec.vector.item.fields), max_size=5))
        data += struct.pack("<I", len(items)) + b"".join(spec.vector.item.encode(item) for item in items)
        data += bytes(draw(st.sampled_from([0, 40, 42, 84])))
    return data


@SOME
@given(st.sampled_from(list(ACCOUNTS.values())).flatmap(_account_bytes))
def test_accounts_decode_alike(data: bytes) -> None:
    """Both decoders find the same fields in any account, spare room behind the vector included."""
    assert_decoded_alike(ADDRESS, data)


@SOME
@given(st.data())
def test_instructions_are_written_alike(data: st.DataObject) -> None:
    """Both encoders write the same bytes, and the client reads its own back."""
    spec = data.draw(st.sampled_from(list(INSTRUCTIONS.values())))
    args = data.draw(_values(spec.args.fields))
    keys = {role.name: data.draw(VALUES[Kind.KEY]) for role in spec.accounts}
    instruction = encode_instruction(ADDRESS, spec.name, args, keys)
    theirs = {field.name: _anchor(field, args[field.name]) for field in spec.args.fields}
    assert coders.instruction_coder().encode(spec.name, theirs) == instruction.data
    decoded = decode_instruction(instruction.data, [str(meta.pubkey) for meta in instruction.accounts])
    assert (decoded.name, decoded.args) == (spec.name, args)
    assert list(decoded.accounts) == [role.name for role in spec.accounts]


@SOME
@given(st.data())
def test_events_decode_alike(data: st.DataObject) -> None:
    """Both decoders find the same fields in any event."""
    spec = data.draw(st.sampled_from(list(EVENTS.values())))
    subject, *rest = spec.record.fields
    values = data.draw(_values(spec.record.fields))
    event = ProgramEvent(
        spec.name,
        str(values[subject.name]),
        int(values["sequence"]),
        int(values["ordinal"]),
        {field.name: values[field.name] for field in rest[2:]},
    )
    raw = encode_event(event)
    assert decode_event(raw) == event
    theirs = coders.event_coder().parse(raw)
    assert theirs.name == spec.name
    assert {name: plain(value) for name, value in vars(theirs.data).items()} == values


def test_the_idl_lists_accounts_and_errors_as_the_program_counts_them() -> None:
    """Account order and flags, and the 23 error numbers, are what the tables say."""
    parsed = coders.parsed()
    for described, spec in zip(parsed.instructions, INSTRUCTIONS.values(), strict=True):
        flags = [(account.is_mut, account.is_signer) for account in described.accounts]  # type: ignore[union-attr]
        assert flags == [(role.writable, role.signer) for role in spec.accounts], spec.name
    assert [error.code for error in parsed.errors or []] == list(range(6000, 6023)) == [int(e) for e in ProgramError]


def test_the_committed_idls_are_current() -> None:
    """The files in the repository are what the tables generate."""
    for path, text in idl.files().items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_both_forms_say_the_same() -> None:
    """The modern form names the legacy one's instructions, accounts, events, errors and fields."""
    old, new = idl.legacy(), idl.modern()
    types = {entry["name"]: entry["type"]["fields"] for entry in new["types"]}
    for one, other in zip(old["instructions"], new["instructions"], strict=True):
        assert [len(one[part]) for part in ("accounts", "args")] == [len(other[part]) for part in ("accounts", "args")]
        assert bytes(other["discriminator"]) == INSTRUCTIONS[other["name"]].discriminator
    for one in [*old["accounts"], *old["types"]]:
        assert len(types[one["name"]]) == len(one["type"]["fields"])
    for one in old["events"]:
        assert len(types[one["name"]]) == len(one["fields"])
    assert old["errors"] == new["errors"]
    assert "publicKey" not in str(new)


def test_the_instructions_vectors_are_current() -> None:
    """What builders in other languages are held to is what this client builds, for every instruction."""
    assert json.loads(make_instructions.FILE.read_text(encoding="utf-8")) == make_instructions.whole()
    assert set(built()) == set(INSTRUCTIONS)


def test_errors_are_explained_as_the_graph_does() -> None:
    """Name, number and message of each error in both forms are those of the Problem that the graph answers."""
    refusals = [from_program(error, frozenset()) for error in ProgramError]
    shown = [(problem.program_error_code, problem.code, problem.explanation) for problem in refusals]
    for form in (idl.legacy(), idl.modern()):
        assert [(entry["code"], _upper(entry["name"]), entry["msg"]) for entry in form["errors"]] == shown


def test_everything_is_documented_in_both_forms() -> None:
    """Each instruction, account, argument and field has a sentence, but where the older form has no room for one."""
    old, new = idl.legacy(), idl.modern()
    listed = [*old["instructions"], *old["accounts"], *old["types"], *new["instructions"], *new["types"]]
    listed += [role for entry in (*old["instructions"], *new["instructions"]) for role in entry["accounts"]]
    listed += [arg for entry in (*old["instructions"], *new["instructions"]) for arg in entry["args"]]
    listed += [field for entry in (*old["accounts"], *old["types"], *new["types"]) for field in entry["type"]["fields"]]
    assert all(len(entry["docs"]) == 1 and entry["docs"][0].endswith(".") for entry in listed)
    assert {entry["name"] for entry in new["types"]} >= {*ACCOUNTS, *EVENTS}


def test_the_documentation_has_nothing_else() -> None:
    """No sentence is about a name that the interface does not have."""
    vectors = [spec.vector for spec in ACCOUNTS.values() if spec.vector is not None]
    records = [spec.args for spec in INSTRUCTIONS.values()] + [spec.record for spec in EVENTS.values()]
    named = {field.name for record in (*records, *(vector.item for vector in vectors)) for field in record.fields}
    named |= {field.name for spec in ACCOUNTS.values() for field in (*HEADER, *spec.fixed)}
    assert named | {vector.name for vector in vectors} | {"frontier", "reserved"} == set(idl_docs.FIELDS)
    assert {role.name for spec in INSTRUCTIONS.values() for role in spec.accounts} == set(idl_docs.ROLES)
    assert set(idl_docs.ACCOUNTS) == {*ACCOUNTS, *(vector.type_name for vector in vectors)}
    assert (set(idl_docs.INSTRUCTIONS), set(idl_docs.EVENTS)) == (set(INSTRUCTIONS), set(EVENTS))


def test_seeds_lead_to_the_addresses() -> None:
    """Every derived account of the newer form has the address that its seeds say, for each instruction built."""
    said = {"thread.thread_id": THREAD_ID, "message.content_hash": CONTENT_HASH}
    untold = set()
    for described in idl.modern()["instructions"]:
        instruction = built()[described["name"]]
        keys = {
            role["name"]: meta.pubkey for role, meta in zip(described["accounts"], instruction.accounts, strict=True)
        }
        for role in described["accounts"]:
            if "pda" in role:
                seeds = [_seed(seed, said, keys) for seed in role["pda"]["seeds"]]
                assert Pubkey.find_program_address(seeds, instruction.program_id)[0] == keys[role["name"]]
            elif "address" in role:
                assert role["address"] == str(keys[role["name"]])
            elif role["name"] in ("protocol", "treasury", "thread", "vault", "message"):
                untold.add((described["name"], role["name"]))
    assert untold == {("create_thread", "thread"), ("post_message", "message"), ("submit_message", "message")}


def test_constants_are_the_programs() -> None:
    """Both forms name the same constants, with the values of the interface and the seeds of the addresses."""
    values = {entry["name"]: json.loads(entry["value"]) for entry in idl.modern()["constants"]}
    assert idl.modern()["constants"] == idl.legacy()["constants"]
    assert {name: value for name, value in values.items() if isinstance(value, int)} == {
        "ACCOUNT_VERSION": ACCOUNT_VERSION,
        "MAX_CO_AUTHORS": MAX_CO_AUTHORS,
        "NO_LEAF": NO_LEAF,
        "TREE_DEPTH": TREE_DEPTH,
    }
    seeds = {name: bytes(value).decode() for name, value in values.items() if isinstance(value, list)}
    assert seeds == {f"{seed.upper()}_SEED": seed for seed in ("protocol", "treasury", "thread", "vault", "message")}


def _seed(seed: dict[str, Any], said: dict[str, str], keys: dict[str, Pubkey]) -> bytes:
    if seed["kind"] == "const":
        return bytes(seed["value"])
    return bytes.fromhex(said[seed["path"]]) if "." in seed["path"] else bytes(keys[seed["path"]])


def _upper(title: str) -> str:
    return "".join("_" + letter if letter.isupper() else letter.upper() for letter in title).removeprefix("_")


def _anchor(field: Field, value: Value) -> Any:
    if field.kind is Kind.KEY:
        return Pubkey.from_string(str(value))
    return list(bytes.fromhex(str(value))) if field.kind is Kind.HASH else value
