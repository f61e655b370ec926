"""Mutants of the Rust source, found by scanning it: every check deleted, turned round, moved by one or renamed.

The source is formatted by rustfmt, so operators have blanks around them and statements stand on lines of their own;
that is all that the scan relies on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ERROR = r"(?P<error>[A-Z]\w+)"
_GUARD = re.compile(rf"^ +if (?P<condition>[^\n]+) \{{\n +return Err\({_ERROR}\.into\(\)\);\n +\}}\n", re.M)
_EITHER = re.compile(
    rf"if (?P<condition>[^\n{{}}]+) \{{ (?P<good>Ok\([^\n]*\)) \}} else \{{ Err\({_ERROR}\.into\(\)\) \}}"
)
_NAMED_ERROR = re.compile(rf"(?:Err\(|ok_or\(|map_err\(\|_\| ){_ERROR}(?:\.into\(\))?\)")
# One-line statements that are made for their effect: checks, changes of state, calls. Nothing is bound or returned.
_STATEMENT = re.compile(
    r"(?<!=\n)^ +(?!let |return|use |pub |fn |const |type |static |break|continue|sol_\w+\(\*)[a-z*(][^\n{}]*;\n", re.M
)
_EMIT = re.compile(r"^ +Log::new\(&address, sequence\)\s*\.emit\([^;]*?\);\n", re.M)
_LAST_CHECK = re.compile(
    r"^ +(?P<call>(?:\w+::)?(?:check\w*|address|writable|signer)\([^\n]*\)|self\.parameters\.validate\(\))\n +\}", re.M
)
_COMPARE = re.compile(r"(?<= )(?:<=|>=|==|!=|<|>)(?= )")
_ONE_EQUATION = re.compile(r"(?:(?!&&|\|\|).)* (?:==|!=) (?:(?!&&|\|\|).)*")
_LOGIC = re.compile(r"(?<= )(?:&&|\|\|)(?= )")
_DIVIDE = re.compile(r"(?<=\w )[/%](?= \w)")
_STEP = re.compile(r"(?P<step>(?:wrapping|checked)_(?:add|sub)\()1\)")
_LIMIT = re.compile(
    r"const (?:SHORTEST_WINDOW|LONGEST_WINDOW|MAX_CO_AUTHORS|MAX_ACCOUNTS|OVERHEAD|DEPTH|VERSION)\b"
    r"[^=]*= (?P<limit>[\d_]+);"
)
_STATUS = re.compile(r"(?<!use )Status::(?P<status>Pending|Published|Denied|Split|Expired|Cancelled)\b(?! =>| =)")
# Comments, and what the compiler checks for itself.
_NO_CODE = re.compile(r"//[^\n]*|^const _: [^\n]*", re.M)

_TURNED = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "&&": "||",
    "||": "&&",
    "/": "%",
    "%": "/",
}
_OTHER_STATUS = {
    "Pending": "Split",
    "Published": "Denied",
    "Denied": "Split",
    "Split": "Denied",
    "Expired": "Cancelled",
    "Cancelled": "Expired",
}


@dataclass(frozen=True)
class Mutant:
    """The bytes `start` to `end` of a source `file` (relative to the crate's `src`) replaced by `text`."""

    file: str
    operator: str
    start: int
    end: int
    text: str
    line: int
    snippet: str
    nth: int = 1

    @property
    def name(self) -> str:
        """What it is called wherever mutants are listed; lines may move without changing it."""
        again = f" #{self.nth}" if self.nth > 1 else ""
        return f"{self.file}: {self.operator}: {self.snippet}{again}"

    def applied(self, source: str) -> str:
        """The file's text with the change."""
        return source[: self.start] + self.text + source[self.end :]


def mutants_of(crate: Path) -> list[Mutant]:
    """All mutants of the crate at `crate`, file by file and from top to bottom."""
    found = []
    for path in sorted((crate / "src").rglob("*.rs")):
        source = path.read_text()
        in_file = sorted(_in(str(path.relative_to(crate / "src")), source), key=lambda m: (m.start, m.operator))
        seen: dict[str, int] = {}
        for mutant in in_file:
            nth = seen[mutant.name] = seen.get(mutant.name, 0) + 1
            found.append(Mutant(**{**mutant.__dict__, "nth": nth}))
    return found


def _in(file: str, source: str) -> Iterator[Mutant]:
    no_code = [match.span() for match in _NO_CODE.finditer(source)]

    def mutant(operator: str, start: int, end: int, text: str) -> Iterator[Mutant]:
        if any(first <= start < last for first, last in no_code):
            return
        line = source.count("\n", 0, start) + 1
        whole = source[source.rfind("\n", 0, start) + 1 : source.find("\n", max(start, end - 1))]
        snippet = " ".join((source[start:end] if end - start > 20 else whole).split())
        yield Mutant(file, operator, start, end, text, line, snippet[:100])

    for match in _GUARD.finditer(source):
        yield from mutant("drop", *match.span(), "")
        if not _ONE_EQUATION.fullmatch(match["condition"]):  # which is turned below
            yield from mutant("negate", *match.span("condition"), f"!({match['condition']})")
    for match in _EITHER.finditer(source):
        yield from mutant("drop", *match.span(), match["good"])
        if not _ONE_EQUATION.fullmatch(match["condition"]):  # which is turned below
            yield from mutant("negate", *match.span("condition"), f"!({match['condition']})")
    for match in _NAMED_ERROR.finditer(source):
        other = "AlreadyVoted" if match["error"] != "AlreadyVoted" else "OwnMessage"
        yield from mutant("rename", *match.span("error"), f"crate::error::ChoraleError::{other}")
    for pattern in (_STATEMENT, _EMIT):
        for match in pattern.finditer(source):
            yield from mutant("drop", *match.span(), "")
    for match in _LAST_CHECK.finditer(source):
        yield from mutant("drop", *match.span("call"), "Ok(())")
    for pattern in (_COMPARE, _LOGIC, _DIVIDE):
        for match in pattern.finditer(source):
            yield from mutant("turn", *match.span(), _TURNED[match.group()])
    for match in _STEP.finditer(source):
        yield from mutant("shift", *match.span(), f"{match['step']}2)")
    for match in _LIMIT.finditer(source):
        yield from mutant("shift", *match.span("limit"), str(int(match["limit"].replace("_", "")) + 1))
    for match in _STATUS.finditer(source):
        yield from mutant("swap", *match.span("status"), _OTHER_STATUS[match["status"]])
