"""Signing in with Solana through the server: real signatures, one session per challenge, and an end to each session."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from solders.keypair import Keypair

from tests import operations
from tests.stack import RunningServer

VIEWER = "{ viewer { address } }"
SIGN_OUT = "mutation { signOut }"


async def challenge(server: RunningServer, wallet: str | None) -> Any:
    return (await server.data_of(operations.CHALLENGE, {"wallet": wallet}))["signInChallenge"]


async def sign_in(server: RunningServer, wallet: str, text: bytes, signature: str) -> Any:
    signed = {"wallet": wallet, "signedMessage": b64encode(text).decode(), "signature": signature}
    return (await server.data_of(operations.SIGN_IN, {"input": signed}))["signIn"]


async def test_a_wallet_signs_in_and_out(server: RunningServer) -> None:
    """The token names the wallet until signOut; afterwards it is refused rather than taken for nobody's."""
    keypair = Keypair()
    address = str(keypair.pubkey())
    asked = await challenge(server, address)
    assert asked["input"]["domain"] == server.url.removeprefix("http://")
    assert asked["input"]["chainId"] == "solana:localnet"
    text = asked["message"].encode()
    session = await sign_in(server, address, text, str(keypair.sign_message(text)))
    assert session["viewer"]["address"] == address
    assert (await server.data_of(VIEWER, token=session["token"]))["viewer"]["address"] == address

    again = await sign_in(server, address, text, str(keypair.sign_message(text)))
    assert again["__typename"] == "SignInRefused"
    assert (await server.data_of(SIGN_OUT, token=session["token"]))["signOut"] is True
    refused = await server.execute(VIEWER, token=session["token"])
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await server.data_of(SIGN_OUT))["signOut"] is False
    assert (await server.data_of(VIEWER))["viewer"] is None
    logged = server.log.read_text()
    assert session["token"] not in logged
    assert str(keypair.sign_message(text)) not in logged


async def test_wrong_signatures_open_nothing(server: RunningServer) -> None:
    """Another wallet's signature, an altered text, a text of one's own: each refused as data, the challenge intact."""
    keypair, other = Keypair(), Keypair()
    address = str(keypair.pubkey())
    text = (await challenge(server, address))["message"].encode()
    right = str(keypair.sign_message(text))
    altered = text.replace(b"Chorale", b"Chorales")
    for wallet, signed, signature in (
        (address, text, str(other.sign_message(text))),
        (str(other.pubkey()), text, str(other.sign_message(text))),
        (address, altered, str(keypair.sign_message(altered))),
        (address, b"hello", str(keypair.sign_message(b"hello"))),
    ):
        refused = await sign_in(server, wallet, signed, signature)
        assert refused["__typename"] == "SignInRefused", signed
        assert refused["code"]
        assert refused["explanation"]
    assert (await sign_in(server, address, text, right))["__typename"] == "SignInSuccess"


async def test_a_challenge_may_leave_the_wallet_open(server: RunningServer) -> None:
    """Without a wallet there is no text yet, only the fields that the wallet standard's signIn takes."""
    asked = await challenge(server, None)
    assert asked["message"] is None
    assert asked["input"]["address"] is None
    assert asked["input"]["nonce"]


async def test_malformed_values_name_themselves(server: RunningServer) -> None:
    """Base58 and base64 that are none are the caller's fault, said so before anything runs."""
    for variables in (
        {"wallet": "0OIl", "signedMessage": "", "signature": "1" * 64},
        {"wallet": str(Keypair().pubkey()), "signedMessage": "*", "signature": "1" * 64},
        {"wallet": str(Keypair().pubkey()), "signedMessage": "", "signature": "abc"},
    ):
        body = await server.execute(operations.SIGN_IN, {"input": variables})
        assert "data" not in body
        assert body["errors"][0]["extensions"]["code"] in ("INVALID_INPUT", "GRAPHQL_VALIDATION_FAILED")
