"""`chorale keeper`: the keeper alone, with nothing but an RPC and a keypair; once, or until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from chorale.domain.chain import Commitment
from chorale.domain.errors import AuthorityUnavailableError, StartupError
from chorale.domain.ports import Chain
from chorale.keeper import Keeper
from chorale.keeping.check import Blocked, Checker
from chorale.keeping.report import KeeperReport, KeeperState
from chorale.keeping.survey import Surveyor
from chorale.process.clusters import chain_identifier
from chorale.process.data_directory import holder_of
from chorale.process.keeper_services import deployed_protocol, open_keeper
from chorale.process.output import Say
from chorale.process.signals import on_signals
from chorale.settings import Settings
from datasources.solana.client import open_chain
from datasources.solana.localnet.keys import load_keys, localnet_folder


async def keeper(settings: Settings, say: Say, announce: Say, *, once: bool) -> int:
    """Keep until told to stop, or pass `once`: exit code 1 where something could not be done. Raises StartupError."""
    if once:
        settings = replace(settings, keeper=replace(settings.keeper, grace=0))
    async with _opened(settings) as (chain, url):
        genesis_hash = await chain.genesis_hash()
        async with open_keeper(settings, chain, url, genesis_hash) as opened:
            await _check_funds(opened)
            if once:
                return await _once(opened, announce)
            stopped = asyncio.Event()
            with on_signals(stopped.set):  # before it says that it runs: whoever reads that may stop it
                announce(
                    f"Keeper: {opened.report().address} on {chain_identifier(genesis_hash)}, program {chain.program_id}"
                )
                opened.start()
                await stopped.wait()
            say("Stopping …")
            await opened.close()
            announce(_summary(opened.report()))
            return 0


async def dry_run(settings: Settings, announce: Say) -> int:
    """Print what is due and what stands in its way; nothing is sent, no keypair is needed. Raises StartupError."""
    async with _opened(settings) as (chain, _):
        mint = (await deployed_protocol(chain, await chain.genesis_hash())).mint
        minimum = settings.keeper.sweep_minimum
        survey = await Surveyor(chain, sweep_minimum=minimum, most=settings.limits.keeper_batch).look(lambda _: True)
        checker = Checker(chain, mint, minimum)
        count = 0
        for candidate in survey.found:
            try:
                due = await checker.due(candidate, survey.now)
            except Blocked as error:
                announce(f"{candidate.duty.value} {candidate.account} blocked: {error}")
                continue
            if due is not None:
                count += 1
                amount = f" amount={due.amount}" if due.amount else ""
                announce(f"{due.duty.value} {due.account} thread={due.thread}{amount}")
        more = ", and more" if survey.more else ""
        upcoming = (
            "" if survey.next_expiry is None else f"; the next window ends in {survey.next_expiry - survey.now} s"
        )
        announce(f"{count} due{more}, {survey.pending} pending{upcoming}.")
        return 0


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Chain, str]]:
    url, ws_url, program_id = settings.chain_url, settings.chain_ws_url, settings.program_id
    if settings.embedded_chain:
        if not localnet_folder(settings.data).exists():
            raise StartupError(
                f"There is no embedded chain in {settings.data}. Start `chorale serve` or `chorale localnet` first, "
                "or let CHORALE_CHAIN_URL and CHORALE_PROGRAM_ID name a cluster."
            )
        holder = holder_of(settings.data)
        url = (holder.rpc_url if holder else "") or f"http://127.0.0.1:{settings.chain_rpc_port}"
        ws_url, program_id = "", str(load_keys(settings.data).program.pubkey())
    async with open_chain(url, ws_url, program_id) as chain:
        try:
            await chain.slot(Commitment.CONFIRMED)
        except AuthorityUnavailableError as error:
            raise StartupError(f"{error} Check CHORALE_CHAIN_URL.") from error
        yield chain, url


async def _check_funds(opened: Keeper) -> None:
    if await opened.lamports() == 0:
        raise StartupError(
            f"The keeper's fee payer {opened.report().address} holds no lamports on this chain. Send it some first."
        )


async def _once(opened: Keeper, announce: Say) -> int:
    await opened.one_pass()
    report = opened.report()
    announce(_summary(report))
    counts = report.counts.values()
    failed = sum(count.failed + count.unknown + count.refused for count in counts)
    return 0 if report.state is KeeperState.RUNNING and not failed else 1


def _summary(report: KeeperReport) -> str:
    lines = [
        f"{duty.value}: {count.confirmed} confirmed, {count.failed} failed, {count.unknown} unknown, "
        f"{count.refused} refused, {count.skipped} skipped"
        for duty, count in report.counts.items()
    ]
    spent = sum(count.lamports for count in report.counts.values())
    return "\n".join((*lines, f"{spent} lamports spent, {report.lamports} left in {report.address}"))
