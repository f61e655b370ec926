"""Turn one BPF object from LLVM into a shared object that the Solana loader accepts (sBPF v0).

    python3 relink.py program.o chorale.so

LLVM leaves sections, symbols and three kinds of relocation; the loader wants an ELF with addresses:

* code and read-only data at fixed addresses below 4 GiB, the file offset of each equal to its address;
* calls between functions as relative jumps, which it turns into function keys itself;
* calls to syscalls as ``call -1`` with a relocation naming the syscall in the dynamic symbol table;
* addresses of data as 32-bit values that a RELATIVE relocation tells it to rebase.

The three steps below (read, place and patch, write) are separate so that another sBPF version, whose header and
segments differ, needs another ``write`` only. Raises ``RelinkError`` where the object holds what v0 cannot express.
"""

import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_RELA, SHT_DYNAMIC, SHT_NOBITS, SHT_REL, SHT_DYNSYM = 1, 2, 3, 4, 6, 8, 9, 11
SHF_WRITE, SHF_ALLOC, SHF_EXEC = 1, 2, 4
PT_LOAD, PT_DYNAMIC, PF_EXEC, PF_WRITE, PF_READ = 1, 2, 1, 2, 4
# LLVM's relocations: a 64-bit immediate, an absolute word in data, the target of a call.
R_BPF_64_64, R_BPF_64_ABS64, R_BPF_64_32 = 1, 2, 10
# The loader's: rebase an address, look a syscall up.
R_RELATIVE, R_SYSCALL = 8, 10
DT_NULL, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT = 0, 5, 6, 10, 11
DT_REL, DT_RELSZ, DT_RELENT, DT_FLAGS = 17, 18, 19, 30
EM_BPF, ET_DYN, DF_TEXTREL = 247, 3, 4
EHDR, PHDR, SHDR, SYM, REL, INSTRUCTION = 64, 56, 64, 24, 16, 8
PAGE = 0x1000
OPCODE_LDDW, OPCODE_CALLX = 0x18, 0x8D
ENTRYPOINT = "entrypoint"


class RelinkError(Exception):
    """The object cannot be expressed as an sBPF v0 program."""


@dataclass(frozen=True)
class Section:
    """One section of the object, its bytes included (zeroes where the file holds none)."""

    name: str
    kind: int
    flags: int
    link: int
    info: int
    align: int
    data: bytes

    @property
    def executable(self) -> bool:
        return bool(self.flags & SHF_ALLOC and self.flags & SHF_EXEC)

    @property
    def read_only(self) -> bool:
        return bool(self.kind in (SHT_PROGBITS, SHT_NOBITS) and self.flags & SHF_ALLOC and not self.flags & SHF_EXEC)


@dataclass(frozen=True)
class Symbol:
    """A symbol: section 0 means that the object only refers to it, which is how syscalls appear."""

    name: str
    section: int
    value: int


@dataclass(frozen=True)
class Relocation:
    """``section``'s bytes at ``offset`` refer to ``symbol``."""

    section: int
    offset: int
    kind: int
    symbol: Symbol
    addend: int


@dataclass
class Image:
    """A program with addresses: what the loader maps, and what it is told to patch."""

    text: bytearray
    rodata: bytearray
    text_address: int
    entry: int
    syscalls: list[str] = field(default_factory=list)
    relocations: list[tuple[int, int, int]] = field(default_factory=list)  # address, kind, dynamic symbol

    @property
    def rodata_address(self) -> int:
        return self.text_address + len(self.text)

    def syscall(self, name: str) -> int:
        """Index of a syscall in the dynamic symbol table: 0 is the null symbol, 1 the entry point."""
        if name not in self.syscalls:
            self.syscalls.append(name)
        return self.syscalls.index(name) + 2


def _string(table: bytes, offset: int) -> str:
    return table[offset : table.index(b"\0", offset)].decode()


def read_sections(elf: bytes) -> list[Section]:
    """The sections of a 64-bit little-endian ELF, in file order."""
    if len(elf) < EHDR or elf[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", elf, 18)[0] != EM_BPF:
        raise RelinkError("not a little-endian BPF object")
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    count, names_index = struct.unpack_from("<HH", elf, 0x3C)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, table + SHDR * i) for i in range(count)]
    names_offset, names_size = headers[names_index][4:6]
    names = elf[names_offset : names_offset + names_size]
    return [
        Section(_string(names, name), kind, flags, link, info, max(align, 1),
                bytes(size) if kind == SHT_NOBITS else elf[offset : offset + size])
        for name, kind, flags, _, offset, size, link, info, align, _ in headers
    ]  # fmt: skip


def read_symbols(sections: list[Section]) -> list[Symbol]:
    table = next(s for s in sections if s.kind == SHT_SYMTAB)
    names = sections[table.link].data
    return [
        Symbol(_string(names, name), section, value)
        for name, _, _, section, value, _ in struct.iter_unpack("<IBBHQQ", table.data)
    ]


def read_relocations(sections: list[Section], symbols: list[Symbol]) -> Iterator[Relocation]:
    for section in sections:
        if section.kind == SHT_REL:
            for offset, info in struct.iter_unpack("<QQ", section.data):
                yield Relocation(section.info, offset, info & 0xFFFFFFFF, symbols[info >> 32], 0)
        elif section.kind == SHT_RELA:
            for offset, info, addend in struct.iter_unpack("<QQq", section.data):
                yield Relocation(section.info, offset, info & 0xFFFFFFFF, symbols[info >> 32], addend)


def _lay_out(sections: list[Section], chosen: list[int], least_align: int) -> tuple[bytearray, dict[int, int]]:
    """The chosen sections one after the other, and where each begins."""
    blob, begins = bytearray(), {}
    for index in chosen:
        blob += bytes(-len(blob) % max(sections[index].align, least_align))
        begins[index] = len(blob)
        blob += sections[index].data
    return blob + bytes(-len(blob) % 8), begins


def link(elf: bytes) -> Image:
    """Give every section an address and every reference its value."""
    sections = read_sections(elf)
    symbols = read_symbols(sections)
    code = [i for i, s in enumerate(sections) if s.executable and s.data]
    constants = [i for i, s in enumerate(sections) if s.read_only and s.data]
    for i in constants:
        if sections[i].flags & SHF_WRITE and not sections[i].name.startswith(".data.rel.ro"):
            raise RelinkError(f"{sections[i].name}: programs have no writable data")
    text, code_begins = _lay_out(sections, code, INSTRUCTION)
    rodata, constant_begins = _lay_out(sections, constants, INSTRUCTION)
    segments = 4 if rodata else 3
    image = Image(text, rodata, EHDR + PHDR * segments, 0)
    addresses = {i: image.text_address + at for i, at in code_begins.items()}
    addresses |= {i: image.rodata_address + at for i, at in constant_begins.items()}

    def address(symbol: Symbol) -> int:
        if symbol.section not in addresses:
            raise RelinkError(f"{symbol.name or 'a section'}: no such data in the program")
        return addresses[symbol.section] + symbol.value

    image.entry = next((address(s) for s in symbols if s.name == ENTRYPOINT), 0)
    if not image.entry:
        raise RelinkError(f"no symbol {ENTRYPOINT}")
    _translate_indirect_calls(text)
    for r in read_relocations(sections, symbols):
        if r.section in addresses:
            _patch(image, r, addresses[r.section] + r.offset, r.section in code_begins, address)
    return image


def _translate_indirect_calls(text: bytearray) -> None:
    """LLVM names the register of an indirect call in the destination field, sBPF v0 in the immediate."""
    at = 0
    while at < len(text):
        if text[at] == OPCODE_CALLX:
            struct.pack_into("<BBhi", text, at, OPCODE_CALLX, 0, 0, text[at + 1] & 0x0F)
        at += 2 * INSTRUCTION if text[at] == OPCODE_LDDW else INSTRUCTION


def _patch(image: Image, r: Relocation, place: int, in_text: bool, address: Callable[[Symbol], int]) -> None:
    blob, at = (image.text, place - image.text_address) if in_text else (image.rodata, place - image.rodata_address)
    if in_text and r.kind == R_BPF_64_64:
        low, high = struct.unpack_from("<I", blob, at + 4)[0], struct.unpack_from("<I", blob, at + 12)[0]
        target = address(r.symbol) + (low | high << 32) + r.addend
        struct.pack_into("<I", blob, at + 4, target)
        struct.pack_into("<I", blob, at + 12, 0)
        image.relocations.append((place, R_RELATIVE, 0))
    elif in_text and r.kind == R_BPF_64_32:
        blob[at + 1] = 0x10  # source register 1: a call by distance, or by relocation where the immediate is -1
        if r.symbol.section == 0:
            if not r.symbol.name.startswith("sol_") and r.symbol.name != "abort":
                raise RelinkError(f"{r.symbol.name} is neither in the program nor a syscall")
            struct.pack_into("<i", blob, at + 4, -1)
            image.relocations.append((place, R_SYSCALL, image.syscall(r.symbol.name)))
        else:
            # LLVM counts the immediate in instructions from the symbol, less the one that is being executed.
            (distance,) = struct.unpack_from("<i", blob, at + 4)
            target = address(r.symbol) + (distance + 1) * INSTRUCTION
            struct.pack_into("<i", blob, at + 4, (target - place) // INSTRUCTION - 1)
    elif not in_text and r.kind == R_BPF_64_ABS64:
        target = address(r.symbol) + struct.unpack_from("<Q", blob, at)[0] + r.addend
        struct.pack_into("<II", blob, at, 0, target)  # outside code the loader looks in the upper half
        image.relocations.append((place, R_RELATIVE, 0))
    else:
        raise RelinkError(f"relocation {r.kind} against {r.symbol.name}")


def write(image: Image) -> bytes:
    """The ELF: headers, code, constants, dynamic symbols, strings, relocations, dynamic table, section names."""
    strings, dynamic_symbols = b"\0", bytes(SYM)
    for name, info, section, value in [(ENTRYPOINT, 0x12, 1, image.entry), *((n, 0x10, 0, 0) for n in image.syscalls)]:
        dynamic_symbols += struct.pack("<IBBHQQ", len(strings), info, 0, section, value, 0)
        strings += name.encode() + b"\0"
    strings += bytes(-len(strings) % 8)
    relocations = b"".join(struct.pack("<QQ", at, symbol << 32 | kind) for at, kind, symbol in image.relocations)

    symbols_at = image.rodata_address + len(image.rodata)
    strings_at = symbols_at + len(dynamic_symbols)
    relocations_at = strings_at + len(strings)
    dynamic_at = relocations_at + len(relocations)
    entries = [(DT_FLAGS, DF_TEXTREL), (DT_REL, relocations_at), (DT_RELSZ, len(relocations)), (DT_RELENT, REL),
               (DT_SYMTAB, symbols_at), (DT_SYMENT, SYM), (DT_STRTAB, strings_at), (DT_STRSZ, len(strings)),
               (DT_NULL, 0)]  # fmt: skip
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries)

    rows = [(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXEC, image.text_address, bytes(image.text), "", 0, 8, 0)]
    if image.rodata:
        rows.append((".rodata", SHT_PROGBITS, SHF_ALLOC, image.rodata_address, bytes(image.rodata), "", 0, 8, 0))
    rows += [
        (".dynsym", SHT_DYNSYM, SHF_ALLOC, symbols_at, dynamic_symbols, ".dynstr", 1, 8, SYM),
        (".dynstr", SHT_STRTAB, SHF_ALLOC, strings_at, strings, "", 0, 1, 0),
        (".rel.dyn", SHT_REL, SHF_ALLOC, relocations_at, relocations, ".dynsym", 0, 8, REL),
        (".dynamic", SHT_DYNAMIC, SHF_ALLOC | SHF_WRITE, dynamic_at, dynamic, ".dynstr", 0, 8, REL),
    ]
    names = b"\0" + b"".join(row[0].encode() + b"\0" for row in rows) + b".shstrtab\0"
    names_at = dynamic_at + len(dynamic)
    rows.append((".shstrtab", SHT_STRTAB, 0, 0, names, "", 0, 1, 0))
    order = {row[0]: i + 1 for i, row in enumerate(rows)} | {"": 0}
    section_table = bytes(SHDR)
    for name, kind, flags, at, data, link_to, info, align, size in rows:
        section_table += struct.pack("<IIQQQQIIQQ", names.index(b"\0" + name.encode() + b"\0") + 1, kind, flags, at,
                                     at or names_at, len(data), order[link_to], info, align, size)  # fmt: skip

    segments = [(PT_LOAD, PF_READ | PF_EXEC, image.text_address, len(image.text), PAGE)]
    if image.rodata:
        segments.append((PT_LOAD, PF_READ, image.rodata_address, len(image.rodata), PAGE))
    segments.append((PT_LOAD, PF_READ, symbols_at, dynamic_at - symbols_at, PAGE))
    segments.append((PT_DYNAMIC, PF_READ | PF_WRITE, dynamic_at, len(dynamic), 8))
    program_table = b"".join(
        struct.pack("<IIQQQQQQ", kind, flags, at, at, at, size, size, align)
        for kind, flags, at, size, align in segments
    )
    body = b"".join(row[4] for row in rows)
    padding = bytes(-(image.text_address + len(body)) % 8)
    sections_at = image.text_address + len(body) + len(padding)
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", ET_DYN, EM_BPF, 1, image.entry, EHDR, sections_at, 0,
        EHDR, PHDR, len(segments), SHDR, len(rows) + 1, len(rows))  # fmt: skip
    return header + program_table + body + padding + section_table


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: relink.py OBJECT PROGRAM", file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    try:
        target.write_bytes(write(link(source.read_bytes())))
    except RelinkError as error:
        print(f"{source}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
