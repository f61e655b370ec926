"""getProgramAccounts filters pass exactly what a plain reading of Solana's rules passes."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import orjson
import pytest
from based58 import b58encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

pytest.importorskip("solders.litesvm", reason="solders carries no LiteSVM on this platform")

from datasources.solana.localnet.genesis import open_ledger
from datasources.solana.localnet.keys import localnet_folder
from datasources.solana.localnet.ledger import Ledger
from datasources.solana.localnet.model import StoredAccount
from datasources.solana.localnet.rpc import answer

DATA = st.binary(max_size=12)
PIECES = st.one_of(st.binary(max_size=3), st.just(b"\x00"), st.just(b"\x00\x01"))


@st.composite
def filters(draw: st.DrawFn) -> list[Any]:
    """Up to four filters, their bytes in each of the three forms."""
    chosen: list[Any] = []
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            chosen.append({"dataSize": draw(st.integers(0, 12))})
            continue
        expected, offset = draw(PIECES), draw(st.integers(0, 14))
        forms: list[Any] = [
            {"bytes": b58encode(expected).decode()},
            {"bytes": b58encode(expected).decode(), "encoding": "base58"},
            {"bytes": b64encode(expected).decode(), "encoding": "base64"},
            {"bytes": list(expected)},
        ]
        chosen.append({"memcmp": {"offset": offset, **draw(st.sampled_from(forms))}, "__expected": expected})
    return chosen


def passes(data: bytes, wanted: list[Any]) -> bool:
    """The rule, byte by byte."""
    for each in wanted:
        if "dataSize" in each:
            if len(data) != each["dataSize"]:
                return False
            continue
        offset, expected = each["memcmp"]["offset"], each["__expected"]
        if offset > len(data) or offset + len(expected) > len(data):
            return False
        if any(data[offset + at] != byte for at, byte in enumerate(expected)):
            return False
    return True


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    data: Path = tmp_path_factory.mktemp("filters")
    localnet_folder(data).mkdir()
    return open_ledger(data, None)[0]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.lists(DATA, max_size=8), wanted=filters(), cut=st.none() | st.tuples(*[st.integers(0, 15)] * 2))
def test_filters_and_slices(
    ledger: Ledger, contents: list[bytes], wanted: list[Any], cut: tuple[int, int] | None
) -> None:
    """The accounts that pass are given, all of them and no other, cut as asked."""
    program = Pubkey.new_unique()
    accounts = {Pubkey.new_unique(): data for data in contents}
    ledger.install([(key, StoredAccount(1_000_000, data, bytes(program))) for key, data in accounts.items()])
    config: dict[str, Any] = {
        "encoding": "base64",
        "filters": [{name: value for name, value in each.items() if name != "__expected"} for each in wanted],
    }
    if cut is not None:
        config["dataSlice"] = {"offset": cut[0], "length": cut[1]}
    request = {"jsonrpc": "2.0", "id": 1, "method": "getProgramAccounts", "params": [str(program), config]}
    result = orjson.loads(answer(ledger, orjson.dumps(request)))["result"]
    shown = {each["pubkey"]: each["account"]["data"][0] for each in result}
    offset, length = cut or (0, 12)
    assert shown == {
        str(key): b64encode(data[offset : offset + length]).decode()
        for key, data in accounts.items()
        if passes(data, wanted)
    }
    assert all(each["account"]["space"] == len(accounts[Pubkey.from_string(each["pubkey"])]) for each in result)
