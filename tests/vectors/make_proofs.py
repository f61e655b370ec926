"""Writes tests/vectors/proofs.json: proofs that hold, proofs that do not and why, for verifiers in any language.

What is refused is the proof in `base` with other values in the places that it names.

Run `python -m tests.vectors.make_proofs`; two of its threads hold about a million messages each, some ten seconds.
"""

from __future__ import annotations

import json
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from programs import identity, merkle
from programs.addresses import SYSTEM_PROGRAM, ProgramAddresses
from programs.interface import ACCOUNTS
from programs.proof import Refusal, verify
from programs.wire import Record, Value
from tests.vectors.tampering import COUNT, SEED, claim_of, tampered

FILE = Path(__file__).with_name("proofs.json")
Json = dict[str, Any]

BODIES = (
    "A letter that was answered.",
    unicodedata.normalize("NFC", "Zoë’s café – naïve"),
    "",
    "第二章 🕯️\r\n\ttwo lines",
    "x" * 1000,
)


def _hash(text: str) -> str:
    return sha256(f"chorale proof vector {text}".encode()).hexdigest()


def _key(text: str) -> str:
    return str(Pubkey(bytes.fromhex(_hash(text))))


PROGRAM = ProgramAddresses(_key("program"))


@dataclass(frozen=True)
class Written:
    """A message of a vector's thread, and its content as a verifier takes it."""

    content: Json
    content_hash: str


def _written(thread_id: str, index: int) -> Written:
    body, salt, author = BODIES[index % len(BODIES)], _hash(f"salt {thread_id} {index}"), _key(f"author {index}")
    nonce = (0, 7, 2**53 + 1, 2**64 - 1)[index % 4]
    content_hash = identity.content_hash(thread_id, author, nonce, identity.body_hash(salt, body))
    content = {"body": body, "salt": salt, "author": author, "nonce": str(nonce), "threadId": thread_id}
    return Written(content, content_hash)


def _layers(leaves: list[bytes]) -> list[list[bytes]]:
    layers = [leaves]
    for level in range(merkle.DEPTH):
        nodes = layers[-1]
        if len(nodes) % 2:
            nodes.append(bytes.fromhex(merkle.EMPTY[level]))
        pairs = zip(nodes[::2], nodes[1::2], strict=True)
        layers.append([sha256(b"\x01" + left + right).digest() for left, right in pairs])
    return layers


def _account(thread_id: str, published_count: int, root: str, *, room: int = 1, taken: int = 1) -> Json:
    address, bump = PROGRAM.thread_and_bump(thread_id)
    spec = ACCOUNTS["Thread"]
    numbers: dict[str, Value] = dict.fromkeys([field.name for field in spec.fixed], 1)
    hashes: dict[str, Value] = {"thread_id": thread_id, "title_hash": _hash("title"), "content_root": root}
    fixed = {**numbers, **hashes, "creator": _key("creator"), "published_count": published_count}
    seats = b"".join(bytes.fromhex(_hash(f"seat {seat}")) + bytes(8) for seat in range(taken)).ljust(40 * room, b"\0")
    data = spec.discriminator + bytes([1, bump]) + Record(*spec.fixed).encode(fixed) + bytes(32 * 20 + 64)
    data += taken.to_bytes(4, "little") + seats
    return {"address": address, "owner": PROGRAM.program_id, "data": b64encode(data).decode()}


def _thread(name: str, count: int) -> tuple[Json, list[Json]]:
    """The account of a thread with `count` messages, and proofs of the first, a middle and the last one."""
    thread_id = _hash(f"thread {count}")
    indices = sorted({0, count // 2, count - 1})
    written = {index: _written(thread_id, index) for index in indices}
    hashes = [bytes.fromhex(_hash(f"filler {index}")) for index in range(count)] if count < 10 else None
    filler = (lambda index: hashes[index]) if hashes else (lambda index: index.to_bytes(32, "big"))
    leaves = [
        sha256(b"\0" + (bytes.fromhex(written[i].content_hash) if i in written else filler(i))).digest()
        for i in range(count)
    ]
    layers = _layers(leaves)
    root = layers[merkle.DEPTH][0].hex()
    account = _account(thread_id, count, root)
    proofs = []
    for index in indices:
        path = [layers[level][(index >> level) ^ 1].hex() for level in range(merkle.DEPTH)]
        leaf = layers[0][index].hex()
        proof = {"leafIndex": index, "path": path, "leaf": leaf, "root": root, "account": account["address"]}
        label = f"message {index} of {count}"
        proofs.append({"name": label, "account": name, "content": written[index].content, "proof": proof})
    return account, proofs


def _refused(base: Json, single: Json, accounts: dict[str, Json]) -> list[Json]:
    """Each of the ways in which `base` is not proved once something in it is changed, with the reason.

    `single` is the only message of another thread.
    """
    content, proof, account = base["content"], base["proof"], base["account"]
    path, raw = proof["path"], _data(account)
    bare = {"leafIndex": proof["leafIndex"], "path": path}
    nodes = [proof["leaf"]]
    for level, sibling in enumerate(path):
        pair = (sibling, nodes[-1]) if proof["leafIndex"] >> level & 1 else (nodes[-1], sibling)
        nodes.append(merkle.node_hash(*pair))
    refused: list[Json] = []

    def case(refusal: Refusal, name: str, **changed: Any) -> None:
        refused.append({"name": name, "refusal": refusal.value, **changed})

    def of_content(refusal: Refusal, name: str, proof: Json | None = None, **changed: Any) -> None:
        case(refusal, name, content={**content, **changed}, **({} if proof is None else {"proof": proof}))

    def of_proof(refusal: Refusal, name: str, base: Json = proof, **changed: Any) -> None:
        case(refusal, name, proof={**base, **changed})

    def of_account(refusal: Refusal, name: str, data: bytes) -> None:
        case(refusal, name, account={**account, "data": b64encode(data).decode()})

    decomposed = unicodedata.normalize("NFD", content["body"])
    assert decomposed != content["body"]
    of_content(Refusal.LEAF, "the body in another normal form", body=decomposed)
    of_content(Refusal.ROOT, "the body in another normal form, no leaf named", proof=bare, body=decomposed)
    body_hash = identity.body_hash(content["salt"], content["body"])
    of_content(
        Refusal.BODY_HASH, "the body in another normal form, its hash named", body=decomposed, bodyHash=body_hash
    )
    of_content(Refusal.LEAF, "a body with a byte more", body=content["body"] + "\n")
    of_content(Refusal.CONTENT_MALFORMED, "no body", body=None)
    of_content(Refusal.CONTENT_MALFORMED, "a body that is a number", body=1)
    of_content(Refusal.LEAF, "another salt", salt=_hash("other"))
    of_content(Refusal.CONTENT_MALFORMED, "a salt in capitals", salt=content["salt"].upper())
    of_content(Refusal.CONTENT_MALFORMED, "a salt that is cut", salt=content["salt"][:-2])
    of_content(Refusal.LEAF, "another author", author=_key("other"))
    of_content(Refusal.CONTENT_MALFORMED, "an author of 31 bytes", author=str(Pubkey(bytes(31) + b"\1"))[1:])
    of_content(
        Refusal.CONTENT_MALFORMED, "an author with a letter that base58 lacks", author="0" + content["author"][1:]
    )
    of_content(Refusal.CONTENT_MALFORMED, "an author of 24 bytes in 32 letters", author="2" * 32)
    of_content(Refusal.CONTENT_MALFORMED, "an author of 33 bytes in 44 letters", author="z" * 44)
    of_content(Refusal.CONTENT_MALFORMED, "an author that is a number", author=7)
    of_content(Refusal.LEAF, "another nonce", nonce="8")
    of_content(Refusal.CONTENT_MALFORMED, "a nonce with a leading zero", nonce="07")
    of_content(Refusal.CONTENT_MALFORMED, "a negative nonce", nonce=-7)
    of_content(Refusal.CONTENT_MALFORMED, "a nonce over 64 bits", nonce=str(2**64))
    of_content(Refusal.THREAD, "another thread", threadId=single["content"]["threadId"])
    of_content(Refusal.CONTENT_HASH, "the content hash of another message", contentHash=_hash("filler 0"))
    of_content(Refusal.CONTENT_HASH, "an inner node as the content", contentHash=nodes[1])
    case(Refusal.CONTENT_MALFORMED, "no content", content=None)

    swapped = [path[1], path[0], *path[2:]]
    of_proof(Refusal.ROOT, "two siblings swapped", path=swapped)
    of_proof(Refusal.ROOT, "two siblings swapped, nothing named", base=bare, path=swapped)
    of_proof(Refusal.ROOT, "siblings from the top down", path=path[::-1])
    of_proof(Refusal.ROOT, "another index", leafIndex=0)
    of_proof(Refusal.ROOT, "another index, nothing named", base=bare, leafIndex=2)
    of_proof(Refusal.LEAF_INDEX, "an index that is not published yet", leafIndex=3)
    of_proof(Refusal.LEAF_INDEX, "the index one tree further", leafIndex=proof["leafIndex"] + 2**20)
    of_proof(Refusal.LEAF_INDEX, "the greatest index", leafIndex=2**32 - 1)
    of_proof(Refusal.PROOF_MALFORMED, "an index over 32 bits", leafIndex=2**32)
    of_proof(Refusal.PROOF_MALFORMED, "a negative index", leafIndex=-1)
    of_proof(Refusal.PROOF_MALFORMED, "an index that is text", leafIndex="1")
    of_proof(Refusal.PROOF_MALFORMED, "an index that is a boolean", leafIndex=True)
    of_proof(Refusal.PATH_LENGTH, "nineteen siblings", path=path[:-1])
    of_proof(Refusal.PATH_LENGTH, "twenty-one siblings", path=[*path, merkle.EMPTY[20]])
    of_proof(Refusal.PATH_LENGTH, "no siblings", path=[])
    # A forger who shows an inner node as a leaf leaves its level out; one who shows a leaf as a node adds one.
    of_proof(Refusal.PATH_LENGTH, "an inner node as the leaf", leafIndex=0, leaf=nodes[1], path=path[1:])
    of_proof(
        Refusal.LEAF, "an inner node as the leaf, filled up", leafIndex=0, leaf=nodes[1], path=[*path[1:], path[0]]
    )
    of_proof(Refusal.ROOT, "a path from an inner node", base=bare, leafIndex=0, path=[*path[1:], merkle.EMPTY[19]])
    of_proof(Refusal.PATH_LENGTH, "the leaf as a node over itself", path=[proof["leaf"], *path])
    of_proof(Refusal.ROOT, "the leaf among its siblings", base=bare, path=[proof["leaf"], *path[1:]])
    of_proof(Refusal.LEAF, "the content hash as the leaf", leaf=single["proof"]["leaf"])
    of_proof(Refusal.PROOF_MALFORMED, "a sibling in capitals", path=[*path[:1], path[1].upper(), *path[2:]])
    of_proof(Refusal.PROOF_MALFORMED, "a sibling with a digit too many", path=[path[0] + "0", *path[1:]])
    of_proof(Refusal.PROOF_MALFORMED, "a sibling with 0x in front", path=["0x" + path[0][2:], *path[1:]])
    of_proof(Refusal.PROOF_MALFORMED, "a sibling that is a number", path=[1, *path[1:]])
    of_proof(Refusal.PROOF_MALFORMED, "a path that is text", path="".join(path))
    of_proof(Refusal.PROOF_MALFORMED, "a leaf that is no hash", leaf="leaf")
    of_proof(Refusal.PROOF_MALFORMED, "an account that is no key", account="account")
    of_proof(Refusal.ROOT, "another root named", root=single["proof"]["root"])
    of_proof(Refusal.ADDRESS, "another account named", account=accounts["1"]["address"])
    case(Refusal.PROOF_MALFORMED, "no proof", proof=None)

    newer = raw[:191] + bytes.fromhex(_hash("another version")) + raw[223:]
    of_account(Refusal.ANOTHER_VERSION, "the root of another version", newer)
    case(Refusal.ROOT, "the root of another version, none named", proof=bare, account=_with(account, newer))
    case(Refusal.ADDRESS, "another thread's account", account=accounts["1"])
    case(Refusal.THREAD, "another thread's account, none named", proof=bare, account=accounts["1"])
    case(Refusal.ADDRESS, "the bytes under another address", account={**account, "address": _key("other")})
    case(Refusal.OWNER, "an account of another program", account={**account, "owner": SYSTEM_PROGRAM})
    case(Refusal.OWNER, "another program", programId=_key("other"))
    case(Refusal.OWNER, "a program that is no key", programId="program")
    case(Refusal.ACCOUNT_MALFORMED, "no account", account=None)
    case(Refusal.ACCOUNT_MALFORMED, "an address that is no key", account={**account, "address": ""})
    of_account(Refusal.ACCOUNT_LENGTH, "an empty account", b"")
    of_account(Refusal.ACCOUNT_LENGTH, "an account without its seats", raw[:931])
    of_account(Refusal.ACCOUNT_LENGTH, "an account with a byte less", raw[:-1])
    of_account(Refusal.ACCOUNT_LENGTH, "an account with a byte more", raw + b"\0")
    of_account(Refusal.ACCOUNT_LENGTH, "an account with room for 65", raw[:971] + bytes(64 * 40))
    of_account(Refusal.ACCOUNT_LENGTH, "an account with nobody in it", raw[:927] + bytes(44))
    of_account(Refusal.ACCOUNT_TYPE, "a message's account", ACCOUNTS["Message"].discriminator + raw[8:])
    of_account(Refusal.ACCOUNT_VERSION, "an account of version 2", raw[:8] + b"\2" + raw[9:])
    of_account(Refusal.ADDRESS, "an account with another bump", raw[:9] + bytes([raw[9] ^ 1]) + raw[10:])
    of_account(Refusal.LEAF_INDEX, "an account before the message", raw[:163] + bytes([1, 0, 0, 0]) + raw[167:])
    of_account(Refusal.LEAF_INDEX, "more messages than a tree takes", raw[:163] + b"\1\0\x10\0" + raw[167:])
    return refused


def _data(account: Json) -> bytes:
    return b64decode(account["data"])


def _with(account: Json, data: bytes) -> Json:
    return {**account, "data": b64encode(data).decode()}


def _verified(content: Any, proof: Any, account: Any, programId: Any) -> Refusal | None:
    held = account if account is None else {**account, "data": _data(account)}
    return verify(content, proof, held, programId).refusal


def main() -> None:
    """Build, check and write all of it."""
    accounts: dict[str, Json] = {}
    proved: list[Json] = []
    for count in (1, 2, 3, 2**20 - 1, 2**20):
        accounts[str(count)], proofs = _thread(str(count), count)
        proved += proofs
    spared = next(vector for vector in proved if vector["name"] == "message 2 of 3")
    root, thread_id = spared["proof"]["root"], spared["content"]["threadId"]
    accounts["room"] = _account(thread_id, 3, root, room=64, taken=2)
    extra = [{**spared, "name": "an account with room", "account": "room"}]
    extra += [{**spared, "name": "nothing named", "proof": {"leafIndex": 2, "path": spared["proof"]["path"]}}]
    second, single = (next(v for v in proved if v["name"] == name) for name in ("message 1 of 3", "message 0 of 1"))
    base = {**second, "account": accounts[second["account"]], "programId": PROGRAM.program_id}
    refused = _refused(base, single, accounts)
    for vector in proved + extra:
        assert _verified(vector["content"], vector["proof"], accounts[vector["account"]], PROGRAM.program_id) is None
    for vector in refused:
        found = _verified(**{name: {**base, **vector}[name] for name in ("content", "proof", "account", "programId")})
        assert found == vector["refusal"], (vector["name"], found)
    raw = {name: {**account, "data": _data(account)} for name, account in accounts.items()}
    digest, claims = sha256(), [claim_of(vector, raw, PROGRAM.program_id) for vector in proved]
    for claim in tampered(claims):
        refusal = verify(*claim.arguments()).refusal
        assert refusal is not None, claim
        digest.update(f"{claim.text()}|{refusal.value}\n".encode())
    FILE.write_text(
        json.dumps(
            {
                "programId": PROGRAM.program_id,
                "accounts": accounts,
                "proved": proved,
                "alsoProved": extra,
                "base": base,
                "refused": refused,
                "tampered": {"seed": SEED, "count": COUNT, "digest": digest.hexdigest()},
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
