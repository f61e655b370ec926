"""An outside client (solana-py) airdrops, transfers, confirms and reads against the embedded chain, unchanged."""

from __future__ import annotations

from typing import Any

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.types import MemcmpOpts, TokenAccountOpts
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.rpc.responses import GetTokenAccountsByOwnerResp
from solders.system_program import CreateAccountParams, create_account
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction

from programs.associated import create_associated_account
from tests.chains import mint_to
from tests.contract.localnet.harness import SOL, Localnet, pay


async def test_airdrop_transfer_and_confirm(chain: Localnet) -> None:
    """Lamports move from an airdrop by a versioned transaction, which is then confirmed and found again."""
    payer, recipient = Keypair(), Keypair().pubkey()
    async with AsyncClient(chain.rpc_url, Confirmed) as client:
        airdrop = (await client.request_airdrop(payer.pubkey(), 5 * SOL)).value
        await client.confirm_transaction(airdrop, sleep_seconds=0.02)
        latest = (await client.get_latest_blockhash()).value
        message = MessageV0.try_compile(payer.pubkey(), [pay(payer, recipient, SOL)], [], latest.blockhash)
        signature = (await client.send_transaction(VersionedTransaction(message, [payer]))).value
        confirmed = await client.confirm_transaction(
            signature, sleep_seconds=0.02, last_valid_block_height=latest.last_valid_block_height
        )
        assert confirmed.value[0] is not None and confirmed.value[0].err is None
        assert (await client.get_balance(recipient)).value == SOL
        found = (await client.get_transaction(signature, max_supported_transaction_version=0)).value
        assert found is not None and found.transaction.meta is not None
        assert found.transaction.meta.fee == 5_000
        history = (await client.get_signatures_for_address(recipient)).value
        assert [entry.signature for entry in history] == [signature]
        assert (await client.is_connected()) and (
            await client.get_block(found.slot, max_supported_transaction_version=0)
        ).value
        assert (await client.get_epoch_info()).value.absolute_slot >= found.slot
        assert (await client.get_fee_for_message(message)).value == 5_000


async def test_program_accounts_with_filters(chain: Localnet) -> None:
    """getProgramAccounts gives exactly the accounts of a program that pass dataSize and memcmp filters."""
    payer, program = chain.funded(), Keypair().pubkey()
    sizes = (10, 20, 20)
    made = [Keypair() for _ in sizes]
    rent = chain.call("getMinimumBalanceForRentExemption", 20)
    steps = [
        create_account(
            CreateAccountParams(
                from_pubkey=payer.pubkey(), to_pubkey=key.pubkey(), lamports=rent, space=size, owner=program
            )
        )
        for key, size in zip(made, sizes, strict=True)
    ]
    chain.send(chain.signed(steps, payer, *made))
    async with AsyncClient(chain.rpc_url) as client:
        every = (await client.get_program_accounts(program, encoding="base64")).value
        assert {each.pubkey for each in every} == {key.pubkey() for key in made}
        filters: list[int | MemcmpOpts] = [20, MemcmpOpts(offset=4, bytes="111")]
        some = (await client.get_program_accounts(program, encoding="base64", filters=filters)).value
        assert {each.pubkey for each in some} == {key.pubkey() for key in made[1:]}
        none = (await client.get_program_accounts(program, encoding="base64", filters=[MemcmpOpts(19, "1111")])).value
        assert none == []


async def test_token_accounts(chain: Localnet) -> None:
    """Token balances, supply and accounts by owner read as on a cluster, parsed and as bytes."""
    admin, holder, mint = chain.admin, chain.funded(), Pubkey.from_string(chain.mint)
    account = get_associated_token_address(holder.pubkey(), mint)
    steps = [
        create_associated_account(payer=str(holder.pubkey()), owner=str(holder.pubkey()), mint=chain.mint),
        mint_to(mint, account, admin.pubkey(), 2_500_000),
    ]
    signature = chain.send(chain.signed(steps, holder, admin))
    async with AsyncClient(chain.rpc_url) as client:
        balance = (await client.get_token_account_balance(account)).value
        assert (balance.amount, balance.decimals, balance.ui_amount_string) == ("2500000", 6, "2.5")
        assert int((await client.get_token_supply(mint)).value.amount) >= 2_500_000
        by_mint = await client.get_token_accounts_by_owner(holder.pubkey(), TokenAccountOpts(mint=mint))
        assert isinstance(by_mint, GetTokenAccountsByOwnerResp)
        assert [each.pubkey for each in by_mint.value] == [account]
        wanted = TokenAccountOpts(mint=mint)
        parsed: Any = (await client.get_token_accounts_by_owner_json_parsed(holder.pubkey(), wanted)).value
        assert parsed[0].account.data.parsed["info"]["tokenAmount"]["uiAmountString"] == "2.5"
        assert parsed[0].account.data.program == "spl-token"
        shown: Any = (await client.get_account_info_json_parsed(mint)).value
        assert shown.data.parsed["info"] | {"supply": ""} == {
            "decimals": 6,
            "freezeAuthority": None,
            "isInitialized": True,
            "mintAuthority": str(admin.pubkey()),
            "supply": "",
        }
    meta = chain.call("getTransaction", signature, {"encoding": "json"})["meta"]
    assert meta["preTokenBalances"] == []
    [after] = meta["postTokenBalances"]
    assert (after["mint"], after["owner"]) == (chain.mint, str(holder.pubkey()))
    assert after["uiTokenAmount"]["amount"] == "2500000"
    assert meta["innerInstructions"][0]["index"] == 0


async def test_compressed_accounts(chain: Localnet) -> None:
    """A base64+zstd account is decompressed by the client to the very bytes, empty and over one block alike."""
    payer, program = chain.funded(50 * SOL), Keypair().pubkey()
    async with AsyncClient(chain.rpc_url) as client:
        for size in (0, 1, 300_000):
            made = Keypair()
            rent = chain.call("getMinimumBalanceForRentExemption", size)
            space = CreateAccountParams(
                from_pubkey=payer.pubkey(), to_pubkey=made.pubkey(), lamports=rent, space=size, owner=program
            )
            chain.send(chain.signed([create_account(space)], payer, made))
            found = (await client.get_account_info(made.pubkey(), encoding="base64+zstd")).value
            assert found is not None and found.data == bytes(size)
        code = (await client.get_account_info(Pubkey.from_string(_TOKEN), encoding="base64+zstd")).value
        plain = (await client.get_account_info(Pubkey.from_string(_TOKEN), encoding="base64")).value
        assert code is not None and plain is not None and code.data == plain.data != b""


_TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
