"""What the chain says, asked by a client that is not the server's: accounts, and a thread's events in order."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass

from chorale.domain.accounts import MessageAccount, StatusByte, ThreadAccount
from chorale.domain.events import ProgramEvent
from programs.accounts import decode_message, decode_thread
from programs.events import events_in
from tests.chains import RunningChain

_NAMES = {"MessagePosted": "MessagePublished"}


@dataclass(frozen=True)
class OnChain:
    """Reads past the server."""

    chain: RunningChain

    async def thread(self, thread_id: str) -> ThreadAccount | None:
        """A thread's account; None where there is none."""
        address = self.chain.addresses.thread(thread_id)
        data = await self._data(address)
        return None if data is None else decode_thread(address, data)

    async def message(self, thread_id: str, content_hash: str) -> MessageAccount | None:
        """A message's account; None where there is none."""
        address = self.chain.addresses.message(self.chain.addresses.thread(thread_id), content_hash)
        data = await self._data(address)
        return None if data is None else decode_message(address, data)

    async def events(self, thread_id: str) -> list[tuple[str, int, str]]:
        """Type in the graph, version and signature of every event of a thread, as its transactions logged them."""
        address = self.chain.addresses.thread(thread_id)
        logged: list[tuple[ProgramEvent, str]] = []
        for entry in await self.chain.rpc("getSignaturesForAddress", address, {"commitment": "confirmed"}):
            config = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
            meta = (await self.chain.rpc("getTransaction", entry["signature"], config))["meta"]
            if meta["err"] is None:
                events, _ = events_in(meta["logMessages"], self.chain.program_id)
                logged += [(event, entry["signature"]) for event in events if event.thread == address]
        logged.sort(key=lambda each: (each[0].sequence, each[0].ordinal))
        return [(_type(event), event.sequence, signature) for event, signature in logged]

    async def _data(self, address: str) -> bytes | None:
        account = (await self.chain.rpc("getAccountInfo", address, {"encoding": "base64", "commitment": "confirmed"}))[
            "value"
        ]
        return None if account is None else b64decode(account["data"][0])


def _type(event: ProgramEvent) -> str:
    if event.name == "MessageDecided" and event.fields["status"] == StatusByte.PUBLISHED:
        return "MessagePublished"
    return _NAMES.get(event.name, event.name)
