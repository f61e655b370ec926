"""anchorpy reads every account and event that the program itself writes, and finds what this client finds."""

from __future__ import annotations

from anchorpy import Coder, Event, EventParser
from solders.pubkey import Pubkey

from chorale.domain.events import ProgramEvent
from programs import coders, instructions
from programs.interface import ACCOUNTS, EVENTS
from tests.program.anchor import assert_decoded_alike, plain
from tests.program.harness import WINDOW, Harness, Result, Wallet
from tests.program.stage import Stage


class Watched(Harness):
    """A chain that keeps the outcome of every transaction."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        super().__init__()

    def send(self, *args: object) -> Result:
        """Runs one transaction."""
        self.results.append(super().send(*args))  # type: ignore[arg-type]
        return self.results[-1]


def test_every_account_and_event_of_the_program() -> None:
    """One thread's life makes every event there is; each is read alike, and so are all accounts after it."""
    chain = Watched()
    stage, messages = _life(chain)
    program = chain.program
    addresses = [program.protocol(), program.thread(stage.thread_id)]
    addresses += [program.message(program.thread(stage.thread_id), content_hash) for content_hash in messages]
    for address in addresses:
        assert_decoded_alike(address, chain.data(address))
    read = {type(coders.accounts_coder().decode(chain.data(address))).__name__ for address in addresses}
    assert read == set(ACCOUNTS)

    seen, parser = set(), EventParser(Pubkey.from_string(program.program_id), Coder(coders.parsed()))
    for result in chain.results:
        read_by_anchorpy: list[Event] = []
        parser.parse_logs(list(result.logs), read_by_anchorpy.append)
        for parsed, event in zip(read_by_anchorpy, result.events, strict=True):
            assert parsed.name == event.name
            assert {name: plain(value) for name, value in vars(parsed.data).items()} == _values(event)
            seen.add(event.name)
    assert seen == set(EVENTS)


def _values(event: ProgramEvent) -> dict[str, object]:
    subject = EVENTS[event.name].record.fields[0].name
    return {subject: event.thread, "sequence": event.sequence, "ordinal": event.ordinal, **event.fields}


def _life(chain: Watched) -> tuple[Stage, list[str]]:
    """A thread in which each thing happens at least once, and its messages."""
    stage = Stage(chain)
    ana, ben = stage.creator, stage.outsider
    posted = stage.post(ana)
    denied, cancelled, expired = stage.submit(ben), stage.submit(ben), stage.submit(ben)
    stage.vote(ana, denied, approve=False)
    stage.must(stage.claim_instruction(ana, denied))
    stage.must(stage.cancel_instruction(ben, cancelled), ben)
    stage.must(stage.refund_instruction(ben, cancelled))
    published = stage.submit(ben)
    stage.vote(ana, published)
    split = stage.submit(chain.wallet())
    stage.vote(ana, split)
    stage.vote(ben, split, approve=False)
    stage.must(stage.divest_instruction(ana), ana)
    chain.advance(WINDOW)
    stage.must(instructions.expire(chain.program, thread_id=stage.thread_id, content_hash=expired))
    stage.must(stage.refund_instruction(ben, expired))
    stage.must(stage.sweep_instruction())
    _administration(chain, chain.admin)
    return stage, [posted, denied, cancelled, expired, published, split]


def _administration(chain: Watched, admin: Wallet) -> None:
    configure = instructions.configure(
        chain.program, admin=admin.key, new_admin=admin.key, minimum_stake=1, approval_window=WINDOW
    )
    withdraw = instructions.withdraw_treasury(chain.program, admin=admin.key, destination=admin.tokens, amount=1)
    for instruction in (configure, withdraw):
        result = chain.send(instruction, admin)
        assert result.ok, result.logs
