"""The committed program is the one that its description names, and the relinker refuses what it cannot express."""

from __future__ import annotations

import json
import struct
from hashlib import sha256

import pytest

from programs.relink import RelinkError, link, read_sections
from tests.program.harness import PROGRAM_FILE

PROGRAM = PROGRAM_FILE.read_bytes()


def test_the_description_names_these_bytes() -> None:
    """programs/chorale.so.json holds the hash of programs/chorale.so and the toolchain's versions."""
    description = json.loads(PROGRAM_FILE.with_suffix(".so.json").read_text())
    assert description["sha256"] == sha256(PROGRAM).hexdigest()
    assert description["rustc"] and description["llvm"]


def test_no_path_of_a_machine_is_inside() -> None:
    """Neither a home, nor a temporary folder, nor a registry."""
    folders = [f"/{name}/".encode() for name in ("home", "root", "tmp", "Users")]
    for trace in (*folders, b".cargo", b"registry/src"):
        assert trace not in PROGRAM


def test_offsets_are_addresses_and_nothing_is_writable() -> None:
    """The layout that the loader demands: one code section with the entry point, constants, no data to write."""
    sections = {s.name: s for s in read_sections(PROGRAM)}
    (entry,) = struct.unpack_from("<Q", PROGRAM, 0x18)
    assert set(sections) == {"", ".text", ".rodata", ".dynsym", ".dynstr", ".rel.dyn", ".dynamic", ".shstrtab"}
    at = PROGRAM.index(sections[".text"].data)
    assert at <= entry < at + len(sections[".text"].data)
    assert not [name for name, s in sections.items() if s.flags & 1 and name != ".dynamic"]


def test_only_syscalls_are_left_to_resolve() -> None:
    """Every other name in the dynamic symbols is the entry point."""
    names = next(s for s in read_sections(PROGRAM) if s.name == ".dynstr").data.split(b"\0")
    assert {name for name in names if name and not name.startswith(b"sol_")} == {b"entrypoint"}


@pytest.mark.parametrize("junk", [b"", b"\x7fELF", b"\x7fELF\x01\x01" + bytes(60), bytes(64)])
def test_the_relinker_refuses_what_is_no_bpf_object(junk: bytes) -> None:
    """A RelinkError, never a broken program."""
    with pytest.raises(RelinkError):
        link(junk)
