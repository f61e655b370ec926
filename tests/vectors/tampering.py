"""Ten thousand proofs that were tampered with, the same ones in each language: `web/client/test/tampering.ts` is this
file in TypeScript, and `proofs.json` holds the digest over all of them and over what the verifier said.

Every way changes something that a verifier has to see: nothing else of an account (a balance, say) is in a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

HEX = "0123456789abcdef"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
COUNT = 10_000
SEED = 0x43686F72
_PUBLISHED_COUNT = slice(163, 167)
_CONTENT_ROOT = 191
_CHECKED = [*range(10), *range(11, 43)]  # discriminator, version, bump, thread id
_SEATS = 927


class Numbers:
    """xorshift32: the same numbers in every language."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        x = self._state
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self._state = x
        return x % limit


@dataclass(frozen=True)
class Claim:
    """All that a verifier is given."""

    body: bytes
    salt: str
    author: str
    nonce: str
    thread_id: str
    leaf_index: int
    path: tuple[str, ...]
    leaf: str | None
    root: str | None
    account: str | None
    address: str
    owner: str
    data: bytes
    program_id: str

    def arguments(self) -> tuple[Any, Any, Any, Any]:
        """What `verify` takes."""
        content = {"body": self.body, "salt": self.salt, "author": self.author, "nonce": self.nonce}
        named = {"leaf": self.leaf, "root": self.root, "account": self.account}
        return (
            {**content, "threadId": self.thread_id},
            {"leafIndex": self.leaf_index, "path": list(self.path), **named},
            {"address": self.address, "owner": self.owner, "data": self.data},
            self.program_id,
        )

    def text(self) -> str:
        """All of it in one line."""
        named = [value or "-" for value in (self.leaf, self.root, self.account)]
        content = [self.body.hex(), self.salt, self.author, self.nonce, self.thread_id]
        proof = [str(self.leaf_index), ",".join(self.path), *named]
        return "|".join([*content, *proof, self.address, self.owner, self.data.hex(), self.program_id])


def claim_of(vector: Any, accounts: Any, program_id: str) -> Claim:
    """A vector of `proofs.json` as a claim; `accounts` has their data as bytes."""
    content, proof, account = vector["content"], vector["proof"], accounts[vector["account"]]
    return Claim(
        body=content["body"].encode(),
        salt=content["salt"],
        author=content["author"],
        nonce=str(content["nonce"]),
        thread_id=content["threadId"],
        leaf_index=proof["leafIndex"],
        path=tuple(proof["path"]),
        leaf=proof["leaf"],
        root=proof["root"],
        account=proof["account"],
        program_id=program_id,
        **account,
    )


def other_digit(text: str, digits: str, numbers: Numbers) -> str:
    """`text` with another digit in one place."""
    place = numbers.below(len(text))
    digit = digits[(digits.index(text[place]) + 1 + numbers.below(len(digits) - 1)) % len(digits)]
    return text[:place] + digit + text[place + 1 :]


def other_bit(raw: bytes, place: int, numbers: Numbers) -> bytes:
    """`raw` with one bit of the byte at `place` flipped."""
    return raw[:place] + bytes([raw[place] ^ 1 << numbers.below(8)]) + raw[place + 1 :]


def _path(claim: Claim, place: int, text: str) -> Claim:
    return replace(claim, path=(*claim.path[:place], text, *claim.path[place + 1 :]))


def _body_bit(claim: Claim, numbers: Numbers) -> Claim:
    body = claim.body
    return replace(claim, body=other_bit(body, numbers.below(len(body)), numbers) if body else b" ")


def _body_longer(claim: Claim, numbers: Numbers) -> Claim:
    return replace(claim, body=claim.body + bytes([numbers.below(256)]))


def _body_shorter(claim: Claim, numbers: Numbers) -> Claim:
    return replace(claim, body=claim.body[: numbers.below(len(claim.body))] if claim.body else b"\0")


def _nonce(claim: Claim, numbers: Numbers) -> Claim:
    return replace(claim, nonce=str(int(claim.nonce) ^ 1 << numbers.below(64)))


def _index_bit(claim: Claim, numbers: Numbers) -> Claim:
    return replace(claim, leaf_index=claim.leaf_index ^ 1 << numbers.below(20))


def _index_beyond(claim: Claim, numbers: Numbers) -> Claim:
    published = int.from_bytes(claim.data[_PUBLISHED_COUNT], "little")
    return replace(claim, leaf_index=published + numbers.below(1000))


def _sibling(claim: Claim, numbers: Numbers) -> Claim:
    place = numbers.below(20)
    return _path(claim, place, other_digit(claim.path[place], HEX, numbers))


def _siblings_swapped(claim: Claim, numbers: Numbers) -> Claim:
    one = numbers.below(20)
    other = (one + 1 + numbers.below(19)) % 20
    return _path(_path(claim, one, claim.path[other]), other, claim.path[one])


def _sibling_dropped(claim: Claim, numbers: Numbers) -> Claim:
    place = numbers.below(20)
    return replace(claim, path=claim.path[:place] + claim.path[place + 1 :])


def _sibling_doubled(claim: Claim, numbers: Numbers) -> Claim:
    place = numbers.below(20)
    return replace(claim, path=claim.path[:place] + claim.path[place : place + 1] + claim.path[place:])


def _path_turned(claim: Claim, numbers: Numbers) -> Claim:
    place = 1 + numbers.below(19)
    return replace(claim, path=claim.path[place:] + claim.path[:place])


def _sibling_from_elsewhere(claim: Claim, numbers: Numbers) -> Claim:
    leaf = sha256(b"\0" + bytes.fromhex(claim.salt)).hexdigest()
    root = claim.data[_CONTENT_ROOT : _CONTENT_ROOT + 32].hex()
    return _path(claim, numbers.below(20), (leaf, root)[numbers.below(2)])


def _sibling_in_capitals(claim: Claim, numbers: Numbers) -> Claim:
    place = numbers.below(20)
    capitals = claim.path[place].upper()
    return _path(claim, place, capitals) if capitals != claim.path[place] else _sibling(claim, numbers)


def _account_bit(claim: Claim, numbers: Numbers) -> Claim:
    return replace(claim, data=other_bit(claim.data, _CHECKED[numbers.below(len(_CHECKED))], numbers))


def _root_bit(claim: Claim, numbers: Numbers) -> Claim:
    return replace(claim, data=other_bit(claim.data, _CONTENT_ROOT + numbers.below(32), numbers))


def _account_cut(claim: Claim, numbers: Numbers) -> Claim:
    taken = claim.data[_SEATS]
    return replace(claim, data=claim.data[: numbers.below(_SEATS + 4 + 40 * taken)])


def _account_longer(claim: Claim, numbers: Numbers) -> Claim:
    return replace(claim, data=claim.data + bytes(1 + numbers.below(39)))


def _count_lower(claim: Claim, numbers: Numbers) -> Claim:
    count = numbers.below(claim.leaf_index + 1).to_bytes(4, "little")
    return replace(claim, data=claim.data[: _PUBLISHED_COUNT.start] + count + claim.data[_PUBLISHED_COUNT.stop :])


def _digit(name: str, digits: str) -> Callable[[Claim, Numbers], Claim]:
    def tamper(claim: Claim, numbers: Numbers) -> Claim:
        changed: dict[str, Any] = {name: other_digit(getattr(claim, name), digits, numbers)}
        return replace(claim, **changed)

    return tamper


WAYS: Sequence[Callable[[Claim, Numbers], Claim]] = (
    _body_bit,
    _body_longer,
    _body_shorter,
    _digit("salt", HEX),
    _digit("author", BASE58),
    _nonce,
    _digit("thread_id", HEX),
    _index_bit,
    _index_beyond,
    _sibling,
    _siblings_swapped,
    _sibling_dropped,
    _sibling_doubled,
    _path_turned,
    _sibling_from_elsewhere,
    _sibling_in_capitals,
    _account_bit,
    _root_bit,
    _account_cut,
    _account_longer,
    _count_lower,
    _digit("address", BASE58),
    _digit("owner", BASE58),
    _digit("program_id", BASE58),
    _digit("leaf", HEX),
    _digit("root", HEX),
    _digit("account", BASE58),
)
NAMED = 3  # the last ways need what a proof only may name


def exchanged(claims: Sequence[Claim], which: int, numbers: Numbers) -> Claim:
    """A claim with the text, the path or the account of another one."""
    claim, other = claims[which], claims[(which + 1 + numbers.below(len(claims) - 1)) % len(claims)]
    match numbers.below(3):
        case 0:
            return replace(claim, body=other.body, salt=other.salt, author=other.author, nonce=other.nonce)
        case 1:
            return replace(claim, leaf_index=other.leaf_index, path=other.path)
        case _ if other.address != claim.address:
            return replace(claim, address=other.address, owner=other.owner, data=other.data)
        case _:
            return _root_bit(claim, numbers)


def tampered(claims: Sequence[Claim]) -> Iterator[Claim]:
    """COUNT claims, each one of `claims` with something changed."""
    numbers = Numbers(SEED)
    for number in range(COUNT):
        which, way = numbers.below(len(claims)), number % (len(WAYS) + 1)
        if way == len(WAYS):
            yield exchanged(claims, which, numbers)
            continue
        claim = claims[which]
        if way < len(WAYS) - NAMED and numbers.below(2):
            claim = replace(claim, leaf=None, root=None, account=None)
        yield WAYS[way](claim, numbers)
