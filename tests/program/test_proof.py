"""The verifier accepts what was published, refuses everything else with a reason, and needs nothing but Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs import identity, instructions, merkle, proof
from programs.addresses import ProgramAddresses
from programs.proof import Refusal, Verdict, verify
from tests.program.stage import Stage
from tests.vectors.tampering import COUNT, SEED, Claim, claim_of, tampered

FILE = Path(__file__).parents[1] / "vectors" / "proofs.json"
VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
PROGRAM_ID: str = VECTORS["programId"]


def raw(account: Any) -> Any:
    """A vector's account with its data as bytes."""
    return account if account is None else {**account, "data": b64decode(account["data"])}


ACCOUNTS = {name: raw(account) for name, account in VECTORS["accounts"].items()}
CLAIMS = [claim_of(vector, ACCOUNTS, PROGRAM_ID) for vector in VECTORS["proved"]]


@pytest.mark.parametrize("vector", VECTORS["proved"] + VECTORS["alsoProved"], ids=lambda vector: vector["name"])
def test_published_messages_are_proved(vector: Any) -> None:
    """First, middle and last message of threads of every awkward size, up to a full tree."""
    verdict = verify(vector["content"], vector["proof"], ACCOUNTS[vector["account"]], PROGRAM_ID)
    assert verdict == Verdict(None)
    assert verdict


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_nothing_else_is(vector: Any) -> None:
    """Each change to a proof that holds is refused for its own reason."""
    changed = {**VECTORS["base"], **vector}
    verdict = verify(changed["content"], changed["proof"], raw(changed["account"]), changed["programId"])
    assert verdict == Verdict(Refusal(vector["refusal"]))
    assert not verdict


def test_the_vectors_show_every_reason() -> None:
    """No reason is without an example, and the example they start from is proved."""
    assert {vector["refusal"] for vector in VECTORS["refused"]} == set(Refusal)
    base = VECTORS["base"]
    assert verify(base["content"], base["proof"], raw(base["account"]), base["programId"])
    assert {len(ACCOUNTS[name]["data"]) for name in ACCOUNTS} == {971, 931 + 64 * 40}


def test_ten_thousand_tampered_proofs_are_refused() -> None:
    """None of them is a proof that holds, none passes, and they and their reasons are those of the other languages."""
    assert all(verify(*claim.arguments()) for claim in CLAIMS)
    held = {text for claim in CLAIMS for text in (claim.text(), _unnamed(claim).text())}
    digest, seen = sha256(), 0
    for claim in tampered(CLAIMS):
        assert claim.text() not in held
        refusal = verify(*claim.arguments()).refusal
        assert refusal is not None, claim
        digest.update(f"{claim.text()}|{refusal.value}\n".encode())
        seen += 1
    assert {"seed": SEED, "count": seen, "digest": digest.hexdigest()} == VECTORS["tampered"]
    assert seen == COUNT == 10_000


def _unnamed(claim: Claim) -> Claim:
    return replace(claim, leaf=None, root=None, account=None)


_JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.sampled_from([object(), int, "1" * 32, "0" * 64, b"\0" * 971, 2**20, 2**64]),
    lambda inner: st.lists(inner, max_size=21) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=25,
)


@st.composite
def _changed(draw: st.DrawFn) -> tuple[Any, Any, Any, Any]:
    """The arguments of a proof that holds, with junk in one place."""
    arguments = list(draw(st.sampled_from(CLAIMS)).arguments())
    which = draw(st.integers(0, 3))
    if isinstance(arguments[which], dict) and draw(st.booleans()):
        name = draw(st.sampled_from([name for name in arguments[which] if name not in ("leaf", "root", "account")]))
        arguments[which] = {**arguments[which], name: draw(_JUNK)}
        if name == "path":
            path = list(draw(st.sampled_from(CLAIMS)).path)
            path[draw(st.integers(0, 19))] = draw(_JUNK)
            arguments[which]["path"] = draw(st.just(path) | st.just(tuple(path)))
    else:
        arguments[which] = draw(_JUNK)
    return (*arguments,)  # type: ignore[return-value]


@settings(max_examples=200, deadline=None)
@given(_changed())
def test_junk_is_refused_and_never_raises(arguments: tuple[Any, Any, Any, Any]) -> None:
    """Whatever stands in the place of an argument or of a part of one, the answer is a reason."""
    assert isinstance(verify(*arguments).refusal, Refusal)


class _Key(str):
    """A key that is found where "body", "path" or "data" are looked for, and does not like to be compared."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("hostile")

    def __hash__(self) -> int:
        return hash(str(self))


class _Class:
    """What does not say of what class it is."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("hostile")


class _Path(list[str]):
    """Twenty siblings by its length, and none to walk along."""

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("hostile")


def test_hostile_objects_are_refused_and_do_not_raise() -> None:
    """Also where looking at them runs code of their own."""
    content, path, account, program_id = CLAIMS[0].arguments()
    names = {"body", "path", "data"}
    for place, whole in enumerate((content, path, account)):
        keyed = {(_Key(name) if name in names else name): value for name, value in whole.items()}
        for hostile in (keyed, _Class()):
            arguments = [content, path, account, program_id]
            arguments[place] = hostile
            assert verify(*arguments).refusal is list(Refusal)[(0, 1, 3)[place]]
    walked = {**path, "path": _Path(path["path"])}
    assert verify(content, walked, account, program_id).refusal is Refusal.PROOF_MALFORMED
    assert verify(content, path, account, _Class()).refusal is Refusal.OWNER


def test_one_file_and_the_standard_library_are_enough(tmp_path: Path) -> None:
    """A copy of the file, in an interpreter without any other package, proves a message."""
    shutil.copy(proof.__file__, tmp_path / "proof.py")
    script = tmp_path / "check.py"
    script.write_text(
        "import json, sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from base64 import b64decode\n"
        "import proof\n"
        f"vectors = json.load(open({str(FILE)!r}, encoding='utf-8'))\n"
        "base = vectors['base']\n"
        "base['account']['data'] = b64decode(base['account']['data'])\n"
        "verdict = proof.verify(base['content'], base['proof'], base['account'], base['programId'])\n"
        "foreign = [name for name in sys.modules if name.partition('.')[0] not in sys.stdlib_module_names]\n"
        "print(json.dumps([bool(verdict), foreign]))\n"
    )
    ended = subprocess.run([sys.executable, "-I", "-S", script], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [True, ["__main__", "proof"]]


def test_what_the_program_published_is_proved() -> None:
    """Posted and voted messages are proved by the account that the program wrote, also after a co-author left."""
    stage = Stage()
    texts = [*_published(stage)]
    hashes = [stage.message(content["contentHash"]).content_hash for content in texts]
    assert [stage.message(text).leaf_index for text in hashes] == [0, 1, 2]
    for leaf_index, content in enumerate(texts):
        path = {"leafIndex": leaf_index, "path": list(merkle.path_of(hashes, leaf_index))}
        assert verify(content, path, _held(stage), stage.program.program_id) == Verdict(None)
        forged = {**content, "body": content["body"] + "."}
        assert verify(forged, path, _held(stage), stage.program.program_id).refusal is Refusal.BODY_HASH
    before, author = _held(stage), stage.outsider
    hashes.append(stage.submit(author))
    stage.vote(stage.creator, hashes[-1])
    newer = {"leafIndex": 2, "path": list(merkle.path_of(hashes, 2))}
    assert verify(texts[2], newer, before, stage.program.program_id).refusal is Refusal.ROOT
    stage.must(stage.divest_instruction(author), author)
    assert verify(texts[2], newer, _held(stage), stage.program.program_id) == Verdict(None)


def _published(stage: Stage) -> Iterator[dict[str, Any]]:
    for nonce, body in enumerate(("First.", "Zweite – naïve", "")):
        salt = sha256(body.encode()).hexdigest()
        body_hash = identity.body_hash(salt, body)
        stage.must(
            instructions.post_message(
                stage.program,
                payer=stage.sponsor.key,
                author=stage.creator.key,
                thread_id=stage.thread_id,
                body_hash=body_hash,
                nonce=1000 + nonce,
            ),
            stage.creator,
        )
        content = {"body": body, "salt": salt, "author": stage.creator.key, "nonce": 1000 + nonce}
        content_hash = identity.content_hash(stage.thread_id, stage.creator.key, 1000 + nonce, body_hash)
        yield {**content, "threadId": stage.thread_id, "contentHash": content_hash, "bodyHash": body_hash}


def _held(stage: Stage) -> dict[str, Any]:
    address = ProgramAddresses(stage.program.program_id).thread(stage.thread_id)
    account = stage.chain.account(address)
    assert account is not None
    return {"address": address, "owner": str(account.owner), "data": bytes(account.data)}
